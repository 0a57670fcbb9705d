// Threads that read images: a few of the tree's threads, which saves handing the request over, and then
// threads of the pool. So a slow repository never keeps `ls` or a command waiting (contract, "Images"; law
// 20). While all threads of the pool hang and tasks wait, the pool grows, so that a repository that hangs
// keeps no reader of another one waiting.
//
// A second pool renders texts that may be long, such as the event log. No repository hangs it.
//
// Threads: the image readers and the text renderers, owned here.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "catalog/base/mutex.h"

namespace holdfast::mount {

class ReadPool {
 public:
  // `name`: of the threads. `borrowed`: how many calling threads may perform their tasks themselves at once.
  ReadPool(const char* name, unsigned threads, unsigned borrowed);
  ~ReadPool();  // waits for all posted tasks

  using Task = std::function<void()>;
  void post(Task task);
  // Performs the task in the calling thread if that may be borrowed, else posts it.
  void perform(Task task);

 private:
  static constexpr std::size_t kMost = 512;                // threads
  static constexpr std::chrono::milliseconds kHangs{100};  // all threads hang if none ends a task for so long

  void work();
  void watch();
  void grow(std::size_t by) HF_REQUIRES(mutex_);

  const char* const name_;
  std::counting_semaphore<> borrowable_;
  Mutex mutex_;
  CondVar posted_;
  std::deque<Task> tasks_ HF_GUARDED_BY(mutex_);
  CondVar watched_;
  std::uint64_t ended_ HF_GUARDED_BY(mutex_) = 0;  // tasks
  std::size_t idle_ HF_GUARDED_BY(mutex_) = 0;     // threads
  bool ending_ HF_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ HF_GUARDED_BY(mutex_);
  std::thread watch_;
};

}  // namespace holdfast::mount
