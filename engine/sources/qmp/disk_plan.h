// Plans the capture of each disk, before anything is made.
#pragma once

#include <string>

#include "engine/sources/driver.h"
#include "engine/sources/qmp/nodes.h"

namespace holdfast::source::qmp {

struct DiskPlan {
  std::string name;
  std::string node;
  std::uint64_t capacity = 0;
  bool read_only = false;
  bool persistent = false;  // the new bitmap survives a restart of the source
  std::string since;        // the bitmap that tells the changes; "" if everything is read
  std::string supersedes;   // the bitmap to remove after a commit, wherever it is and whatever it is worth
  std::optional<FullReason> full_reason;  // set exactly if `since` is empty
};

// Fails if the disk can't be backed up at all; sets full_reason if its changes can't be told (law 5).
// `cancel` may be null.
Result<DiskPlan> plan_disk(const DiskRequest& request, const Nodes& nodes, const std::string& socket,
                           const Cancel* cancel);

// Whether the file system of the node's image is not nearly full (law 8); true if it isn't visible here.
bool has_room_for_bitmap(const Node& node, const Peer& peer);

// Returns why a bitmap on that node would not survive a restart of the source; "" if it would.
std::string why_not_persistent(const Node& node, const Peer& peer);

}  // namespace holdfast::source::qmp
