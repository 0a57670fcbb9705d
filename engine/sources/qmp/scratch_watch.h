// Ensures that copies of overwritten clusters always find room.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "catalog/base/mutex.h"
#include "engine/sources/qmp/monitor.h"

namespace holdfast::source::qmp {

// ENOSPC if the scratch directory has too little room for a run to begin or to continue.
Result<> check_scratch_space(const std::string& directory);

// If a backup job copies and the scratch area is full, QEMU fails the *guest's* writes while the job goes on.
// The jobs are therefore ended while there is still room. The watch has its own thread, because the reader
// may be waiting for a slow repository. Any thread may call.
class ScratchWatch {
 public:
  ScratchWatch(std::shared_ptr<Monitor> monitor, std::string directory, std::vector<std::string> jobs);
  ~ScratchWatch();

  // Returns why the jobs were ended, if they were.
  std::optional<Error> ended();

 private:
  void watch();
  void end_jobs();

  const std::shared_ptr<Monitor> monitor_;
  const std::string directory_;
  const std::vector<std::string> jobs_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::optional<Error> ended_ HF_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace holdfast::source::qmp
