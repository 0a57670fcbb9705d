// Ensures that copies of overwritten clusters always find room, and leave room for the catalog beside them.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "catalog/base/error.h"
#include "catalog/base/mutex.h"

namespace holdfast::source::qmp {

struct ScratchArea {
  std::string directory;
  std::uint64_t reserve = 0;  // bytes that stay free

  // ENOSPC if there is too little room for a run to begin or to continue.
  Result<> check() const;
};

// Ends the copying while there is still room. If a backup job copies and the scratch area is full, QEMU fails
// the *guest's* writes while the job goes on; and the catalog lies on the same file system (law 20). The
// watch has its own thread, because the reader may be waiting for a slow repository. Any thread may call.
class ScratchWatch {
 public:
  // `end_copying` is called at most once, by the watch's thread.
  ScratchWatch(ScratchArea area, std::function<void()> end_copying);
  ~ScratchWatch();

  // Returns why the copying was ended, if it was.
  std::optional<Error> ended();

 private:
  void watch();

  const ScratchArea area_;
  const std::function<void()> end_copying_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::optional<Error> ended_ HF_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace holdfast::source::qmp
