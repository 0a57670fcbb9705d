// What a user asks for that becomes work.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/model/enumerations.h"

namespace holdfast {

// Of a flow.
struct RunRequest {
  std::string name;               // of the execution; empty: one is made from the time
  std::optional<PointKind> kind;  // empty: auto
  std::vector<std::string> machines;
  std::string by;                          // an automation's own name: makes the execution `api`
  std::optional<std::uint64_t> bandwidth;  // bytes a second, of each of its jobs
  unsigned sample = 0;                     // percent of what a source calls unchanged: read all the same
};

// Of a machine, without a flow.
struct BackupRequest {
  std::string name;  // of the job; empty: one is made
  std::string repository;
  std::optional<PointKind> kind;           // empty: auto
  std::optional<std::uint64_t> bandwidth;  // as a flow's run has them
  unsigned sample = 0;
};

// Of a repository: an image of the host as the first point of a machine there.
struct ImportRequest {
  std::string name;  // of the job; empty: one is made
  std::string file;  // an absolute path
  std::string machine;
  std::string disk;  // which of the machine's; empty: its only one, or "disk-0" when it has none yet
};

// What holds a point.
struct PinRequest {
  std::optional<Time> until;  // absent: until it is taken away
  std::string why;
};

// What somebody found a point to be.
struct VerdictRequest {
  VerdictResult result = VerdictResult::good;
  std::string by;
  std::string text;
};

// Of a point, or of all that a machine or a repository has.
struct VerifyRequest {
  std::string name;  // of the job; empty: one is made
  VerifyLevel level = VerifyLevel::checksums;
};

// Of a machine.
struct PruneRequest {
  std::string name;       // of the job; empty: one is made
  bool by_policy = true;  // else what points have gone already have left behind, alone
};

// Of the daemon: an end to work, before an upgrade.
struct DrainRequest {
  std::string name;                             // of the job; empty: one is made
  std::optional<std::chrono::seconds> timeout;  // when it gives up; absent: never
};

}  // namespace holdfast
