#include "fsd/mount/read_pool.h"

#include <pthread.h>

namespace holdfast::mount {

ReadPool::ReadPool(const char* name, unsigned threads, unsigned borrowed)
    : name_(name), borrowable_(borrowed) {
  const MutexLock lock(mutex_);
  grow(threads);
  watch_ = std::thread([this] { watch(); });
}

ReadPool::~ReadPool() {
  {
    const MutexLock lock(mutex_);
    ending_ = true;
  }
  posted_.notify_all();
  watched_.notify_all();
  watch_.join();
  std::vector<std::thread> threads;
  {
    const MutexLock lock(mutex_);
    threads = std::move(threads_);
  }
  for (std::thread& thread : threads) thread.join();
}

void ReadPool::grow(std::size_t by) {
  for (; by > 0 && threads_.size() < kMost; --by) threads_.emplace_back([this] { work(); });
}

void ReadPool::watch() {
  const MutexLock lock(mutex_);
  while (!ending_) {
    if (tasks_.size() <= idle_) {
      watched_.wait(mutex_);
      continue;
    }
    const std::uint64_t before = ended_;
    const auto end = CondVar::Steady::now() + kHangs;
    while (!ending_ && watched_.wait_until(mutex_, end)) continue;
    if (ended_ == before) grow(tasks_.size());
  }
}

void ReadPool::post(Task task) {
  const MutexLock lock(mutex_);
  tasks_.push_back(std::move(task));
  posted_.notify_one();
  if (tasks_.size() > idle_) watched_.notify_one();
}

void ReadPool::perform(Task task) {
  if (!borrowable_.try_acquire()) return post(std::move(task));
  task();
  borrowable_.release();
}

void ReadPool::work() {
  pthread_setname_np(pthread_self(), name_);
  const MutexLock lock(mutex_);
  for (;;) {
    ++idle_;
    while (!ending_ && tasks_.empty()) posted_.wait(mutex_);
    --idle_;
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    {
      const MutexUnlock unlocked(mutex_);
      task();
    }
    ++ended_;
  }
}

}  // namespace holdfast::mount
