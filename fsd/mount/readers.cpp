#include "fsd/mount/readers.h"

#include <pthread.h>

#include "fsd/mount/buffer.h"

namespace holdfast::mount {

Readers::Readers(unsigned threads) {
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

void Readers::work() {
  pthread_setname_np(pthread_self(), "image-reader");
  const Buffer buffer(kLargestRead);
  std::unique_lock lock(mutex_);
  for (;;) {
    posted_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task(buffer.span());
    lock.lock();
  }
}

}  // namespace holdfast::mount
