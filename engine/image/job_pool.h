// The threads that compress for one writer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "catalog/base/mutex.h"

namespace holdfast::image {

// Copies pieces into pooled buffers and processes them in its own threads. The first error stays: every later
// call returns it. Any thread may call.
class JobPool {
 public:
  struct Job {
    std::uint64_t offset = 0;
    ByteSpan bytes;  // the piece; its buffer is larger
  };
  using Work = std::function<Result<>(Job job, unsigned thread)>;

  static Result<std::unique_ptr<JobPool>> start(unsigned threads, std::size_t buffer_bytes, Work work);
  ~JobPool();  // drops pieces that wait

  // Copies the piece, padded with zeros to whole units of `unit`. Waits while all buffers are in use.
  Result<> submit(std::uint64_t offset, ByteView piece, std::size_t unit);
  // Waits until all submitted pieces are done.
  Result<> drain();
  // Keeps an error of `outcome` as the pool's. Returns the first error that the pool has, if any.
  Result<> keep(Result<> outcome);
  std::size_t buffer_bytes() const { return buffer_bytes_; }

 private:
  struct Pending {
    std::uint64_t offset = 0;
    Bytes buffer;
    std::size_t length = 0;
  };

  JobPool(unsigned threads, std::size_t buffer_bytes, Work work);
  void run(unsigned thread);
  Result<> status() const HF_REQUIRES(mutex_);

  const std::size_t buffer_bytes_;
  const Work work_;

  Mutex mutex_;
  CondVar wake_threads_;
  CondVar wake_callers_;
  std::deque<Pending> waiting_ HF_GUARDED_BY(mutex_);
  std::vector<Bytes> free_ HF_GUARDED_BY(mutex_);
  unsigned unmade_ HF_GUARDED_BY(mutex_);             // the number of buffers that may still be allocated
  std::size_t unfinished_ HF_GUARDED_BY(mutex_) = 0;  // the number of pieces between submit and done
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::optional<Error> error_ HF_GUARDED_BY(mutex_);

  std::vector<std::jthread> threads_;
};

}  // namespace holdfast::image
