// Requests of users that become work, or that change a point.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/model/boot_expect.h"
#include "catalog/model/enumerations.h"

namespace holdfast {

// A run of a flow.
struct RunRequest {
  std::string name;               // name of the execution; empty: made from the time
  std::optional<PointKind> kind;  // empty: an increment where possible
  std::vector<std::string> machines;
  std::string by;                          // name of the automation that asks; makes the execution `api`
  std::optional<std::uint64_t> bandwidth;  // bytes per second, for each job
  unsigned sample = 0;                     // percent of what a source calls unchanged to read all the same
};

// A backup of one machine, without a flow.
struct BackupRequest {
  std::string name;  // name of the job; empty: made by the daemon
  std::string repository;
  std::optional<PointKind> kind;           // empty: an increment where possible
  std::optional<std::uint64_t> bandwidth;  // bytes per second
  unsigned sample = 0;
};

// An import into a repository: an image file of the host becomes the first point of a machine.
struct ImportRequest {
  std::string name;  // name of the job; empty: made by the daemon
  std::string file;  // an absolute path
  std::string machine;
  std::string disk;  // empty: the machine's only disk, or "disk-0" if it has none
};

// A verification of one point, or of all points of a machine or repository.
struct VerifyRequest {
  std::string name;  // name of the job; empty: made by the daemon
  VerifyLevel level = VerifyLevel::checksums;
};

// A boot check of a point. The policy of the point's flow says what the request leaves open.
struct BootCheckRequest {
  std::string name;  // name of the job; empty: made by the daemon
  std::optional<BootExpect> expect;
  std::optional<std::chrono::seconds> timeout;
  std::optional<BootBus> bus;
};

// A pruning of a machine.
struct PruneRequest {
  std::string name;       // name of the job; empty: made by the daemon
  bool by_policy = true;  // false: only completes the removal of points that are retired already
};

// A garbage collection of a repository.
struct GcRequest {
  std::string name;  // name of the job; empty: made by the daemon
  GcAction action = GcAction::list;
};

// A drain of the daemon: an end of all work before an upgrade.
struct DrainRequest {
  std::string name;                             // name of the job; empty: made by the daemon
  std::optional<std::chrono::seconds> timeout;  // absent: never gives up
};

}  // namespace holdfast
