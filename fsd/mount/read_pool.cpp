#include "fsd/mount/read_pool.h"

#include <pthread.h>

namespace holdfast::mount {

ReadPool::ReadPool(unsigned threads, unsigned borrowed) : borrowable_(borrowed) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

ReadPool::~ReadPool() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  posted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ReadPool::post(Task task) {
  {
    const MutexLock lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  posted_.notify_one();
}

void ReadPool::perform(Task task) {
  if (!borrowable_.try_acquire()) return post(std::move(task));
  task();
  borrowable_.release();
}

void ReadPool::work() {
  pthread_setname_np(pthread_self(), "image-reader");
  const MutexLock lock(mutex_);
  for (;;) {
    while (!ending_ && tasks_.empty()) posted_.wait(mutex_);
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    const MutexUnlock unlocked(mutex_);
    task();
  }
}

}  // namespace holdfast::mount
