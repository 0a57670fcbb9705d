#include "engine/image/job_pool.h"

#include <algorithm>
#include <system_error>

namespace holdfast::image {

Result<std::unique_ptr<JobPool>> JobPool::start(unsigned threads, std::size_t buffer_bytes, Work work) {
  std::unique_ptr<JobPool> pool(new JobPool(threads, buffer_bytes, std::move(work)));
  try {
    for (unsigned i = 0; i < threads; ++i)
      pool->threads_.emplace_back([raw = pool.get(), i] { raw->run(i); });
  } catch (const std::system_error& problem) {
    return fail(EAGAIN, "starting {} compressor threads: {}", threads, problem.what());
  }
  return pool;
}

// Allocates at most one buffer in work and one waiting for each thread, and two being filled.
JobPool::JobPool(unsigned threads, std::size_t buffer_bytes, Work work)
    : buffer_bytes_(buffer_bytes), work_(std::move(work)), unmade_(2 * threads + 2) {}

JobPool::~JobPool() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_threads_.notify_all();
}

Result<> JobPool::status() const {
  if (error_) return tl::make_unexpected(*error_);
  return {};
}

Result<> JobPool::submit(std::uint64_t offset, ByteView piece, std::size_t unit) {
  Pending job{offset, {}, round_up(piece.size(), unit)};
  {
    const MutexLock lock(mutex_);
    while (!error_ && free_.empty() && unmade_ == 0) wake_callers_.wait(mutex_);
    HF_CHECK(status());
    if (!free_.empty()) {
      job.buffer = std::move(free_.back());
      free_.pop_back();
    } else {
      --unmade_;
    }
    ++unfinished_;
  }
  job.buffer.resize(buffer_bytes_);
  copy_bytes(piece, job.buffer);
  std::fill_n(job.buffer.begin() + static_cast<std::ptrdiff_t>(piece.size()), job.length - piece.size(),
              std::byte{0});
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(std::move(job));
  }
  wake_threads_.notify_one();
  return {};
}

Result<> JobPool::drain() {
  const MutexLock lock(mutex_);
  while (unfinished_ > 0) wake_callers_.wait(mutex_);
  return status();
}

Result<> JobPool::keep(Result<> outcome) {
  const MutexLock lock(mutex_);
  if (!outcome && !error_) error_ = outcome.error();
  return status();
}

void JobPool::run(unsigned thread) {
  const MutexLock lock(mutex_);
  for (;;) {
    while (!stopping_ && waiting_.empty()) wake_threads_.wait(mutex_);
    if (stopping_) return;
    Pending job = std::move(waiting_.front());
    waiting_.pop_front();
    if (!error_) {
      Result<> outcome;
      {
        const MutexUnlock unlocked(mutex_);
        outcome = work_({job.offset, ByteSpan{job.buffer}.first(job.length)}, thread);
      }
      if (!outcome && !error_) error_ = std::move(outcome.error());
    }
    free_.push_back(std::move(job.buffer));
    --unfinished_;
    wake_callers_.notify_all();
  }
}

}  // namespace holdfast::image
