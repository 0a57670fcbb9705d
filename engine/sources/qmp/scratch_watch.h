// Sees to it that copies of what a guest overwrites always find room.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

// ENOSPC when the scratch directory has so little room left that a run must not begin, or not go on.
Result<> check_scratch_space(const std::string& directory);

// Where a backup job does the copying, a scratch area that is full makes QEMU fail the *guest's* writes while
// the job goes on as if nothing were. So the jobs are ended while there still is room: by a thread of its
// own, since the reading may be waiting for a slow repository. Any thread may call.
class ScratchWatch {
 public:
  ScratchWatch(std::shared_ptr<Source> source, std::string directory, std::vector<std::string> jobs);
  ~ScratchWatch();

  // Why the jobs have been ended, if they have.
  std::optional<Error> ended();

 private:
  void watch();
  void end_jobs();

  const std::shared_ptr<Source> source_;
  const std::string directory_;
  const std::vector<std::string> jobs_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::optional<Error> ended_;
  std::thread thread_;
};

}  // namespace holdfast::source::qmp
