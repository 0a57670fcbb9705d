// Ends the process if something that hangs, in a repository or at a source, keeps it from ending. That is as
// safe as a SIGKILL: what was begun stays recorded.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <thread>

#include "catalog/base/mutex.h"

namespace holdfast {

// Guards the end of all that is made after it.
class LastResort {
 public:
  explicit LastResort(std::string mount_point) : mount_point_(std::move(mount_point)) {}
  ~LastResort();

  // The end begins now. The process ends as soon as `is_useless`, which is asked often, says that more
  // waiting is; and after 45 s.
  void arm(std::function<bool()> is_useless);
  // Asks `is_useless` no more. The objects that it uses may go then.
  void ask_no_more();
  // Ends the process.
  [[noreturn]] void end() const;

 private:
  static constexpr std::chrono::seconds kPatience{45};  // a source may take 40 s to be given up
  static constexpr std::chrono::milliseconds kBetweenQuestions{100};

  void wait();

  const std::string mount_point_;
  Mutex mutex_;
  CondVar ended_;
  bool has_ended_ HF_GUARDED_BY(mutex_) = false;
  std::function<bool()> is_useless_ HF_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace holdfast
