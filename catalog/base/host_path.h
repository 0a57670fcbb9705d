// Finds out where a path of the host leads, without waiting inside of a file system that does not answer
// (law 20).
//
// A process whose thread waits inside of a mount that hangs can't end, not even by SIGKILL. If the mount is
// its own, nobody is left to answer. So another process looks at each path, and is left behind if it gets no
// answer (catalog/base/scout). Until it ends, no other one enters the mount that it waits for, so one is left
// for a mount.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "catalog/base/error.h"

namespace holdfast {

struct HostPath {
  struct Identity {
    std::uint64_t device = 0, inode = 0;
    bool operator==(const Identity&) const = default;
  };

  std::string real;     // without symbolic links
  unsigned absent = 0;  // number of the last components that don't exist
  // Directories above the path, without those that don't exist, the highest first; then the path's own.
  std::vector<Identity> above;
  std::optional<Identity> own;  // absent: the path does not exist
  std::string start;            // the first bytes of a file or block device, if they were asked for
};

enum class Look { place, first_bytes };

constexpr std::chrono::seconds kHostPatience{10};  // disks may have to spin up

// Starts the scout. Call before any thread starts: the scout would have a copy of the locks that others hold.
Result<> be_ready_to_look_up();

// Returns EINVAL if the absolute path leads onto a mount of Holdfast, which would have to answer its own
// daemon; ETIMEDOUT if the file system does not answer in time. A path that doesn't exist is no error. Any
// thread may call.
Result<HostPath> look_up(const std::string& path,
                         std::optional<std::chrono::milliseconds> patience = kHostPatience);

// The same for several paths at once.
std::vector<Result<HostPath>> look_up(std::span<const std::string> paths,
                                      std::optional<std::chrono::milliseconds> patience,
                                      Look look = Look::place);

}  // namespace holdfast
