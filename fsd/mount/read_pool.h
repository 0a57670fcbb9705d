// Who reads images: a few of the threads that serve the tree, which are spared handing the request over, and
// beyond these threads of its own; so that a slow repository never keeps `ls` or a command waiting
// (contract, "Images"; law 20).
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
  // `borrowed`: so many of the threads that call do what they ask for themselves.
  ReadPool(unsigned threads, unsigned borrowed);
  ~ReadPool();  // after all that was posted is done

  using Task = std::function<void()>;
  void post(Task task);
  // In the calling thread, if it may be borrowed; else as post() has it.
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
