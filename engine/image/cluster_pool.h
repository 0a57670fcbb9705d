// Reusable memory for clusters. Fresh memory from the system would cost more than the work on it: the kernel
// zeroes it, and pages that were given back fault on their next touch.
#pragma once

#include <memory>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/mutex.h"

namespace holdfast::image {

// Any thread may call. The memory that take() returned may outlive the pool.
class ClusterPool {
 public:
  // Returns `size` bytes of any content. They return to the pool with their last reference.
  std::shared_ptr<Bytes> take(std::size_t size) {
    std::unique_ptr<Bytes> bytes = spare_->take();
    if (!bytes) bytes = std::make_unique<Bytes>();
    bytes->resize(size);
    return {bytes.release(), [spare = std::weak_ptr(spare_)](Bytes* used) {
              std::unique_ptr<Bytes> back(used);
              if (const auto pool = spare.lock()) pool->put(std::move(back));
            }};
  }

 private:
  class Spare {
   public:
    std::unique_ptr<Bytes> take() {
      const MutexLock lock(mutex_);
      if (all_.empty()) return nullptr;
      auto last = std::move(all_.back());
      all_.pop_back();
      return last;
    }
    void put(std::unique_ptr<Bytes> bytes) {
      const MutexLock lock(mutex_);
      if (all_.size() < kMost) all_.push_back(std::move(bytes));
    }

   private:
    static constexpr std::size_t kMost = 8;
    Mutex mutex_;
    std::vector<std::unique_ptr<Bytes>> all_ HF_GUARDED_BY(mutex_);
  };

  const std::shared_ptr<Spare> spare_ = std::make_shared<Spare>();
};

}  // namespace holdfast::image
