// Threads that read images: a few of the tree's threads, which saves handing the request over, and then
// threads of the pool. So a slow repository never keeps `ls` or a command waiting (contract, "Images"; law
// 20).
//
// Threads: the image readers, owned here.
#pragma once

#include <deque>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "catalog/base/mutex.h"

namespace holdfast::mount {

class ReadPool {
 public:
  // `borrowed`: how many calling threads may perform their tasks themselves at once.
  ReadPool(unsigned threads, unsigned borrowed);
  ~ReadPool();  // waits for all posted tasks

  using Task = std::function<void()>;
  void post(Task task);
  // Performs the task in the calling thread if that may be borrowed, else posts it.
  void perform(Task task);

 private:
  void work();

  std::counting_semaphore<> borrowable_;
  Mutex mutex_;
  CondVar posted_;
  std::deque<Task> tasks_ HF_GUARDED_BY(mutex_);
  bool ending_ HF_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::mount
