// What to do with each disk, decided before anything is made.
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
  bool persistent = false;  // the new bitmap: survives a restart of the source
  std::string since;        // the bitmap that tells what has changed; "" when everything is read
  std::string supersedes;   // the bitmap that goes after a commit, wherever it is and whatever it is worth
  std::optional<FullReason> full_reason;  // set exactly when `since` is empty
};

// Law 5: an error where the disk can't be backed up at all, a full_reason where its changes can't be
// told.
Result<DiskPlan> plan_disk(const DiskRequest& request, const Nodes& nodes, const std::string& socket);

// Law 8: whether the file system of the node's image is not near full; true where that can't be seen from
// here.
bool has_room_for_bitmap(const Node& node);

// Why a bitmap on that node would not outlive a restart of the source; "" when it would.
std::string why_not_persistent(const Node& node);

}  // namespace holdfast::source::qmp
