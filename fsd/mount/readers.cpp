#include "fsd/mount/readers.h"

#include <pthread.h>

namespace holdfast::mount {

Readers::Readers(unsigned threads, unsigned borrowed) : borrowable_(borrowed) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Readers::~Readers() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  posted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Readers::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  posted_.notify_one();
}

void Readers::perform(Task task) {
  if (!borrowable_.try_acquire()) return post(std::move(task));
  task();
  borrowable_.release();
}

void Readers::work() {
  pthread_setname_np(pthread_self(), "image-reader");
  std::unique_lock lock(mutex_);
  for (;;) {
    posted_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace holdfast::mount
