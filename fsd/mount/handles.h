// Open files and directories, by the number that the kernel passes back.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>

#include "catalog/base/mutex.h"

namespace holdfast::mount {

// Any thread may call. An open file lives until its release and the last call on it have ended.
template <class T>
class Handles {
 public:
  std::uint64_t add(std::shared_ptr<T> opened) {
    const ExclusiveLock lock(mutex_);
    open_[++last_] = std::move(opened);
    return last_;
  }
  std::shared_ptr<T> find(std::uint64_t number) const {
    const SharedLock lock(mutex_);
    const auto found = open_.find(number);
    return found == open_.end() ? nullptr : found->second;
  }
  std::shared_ptr<T> remove(std::uint64_t number) {
    const ExclusiveLock lock(mutex_);
    auto node = open_.extract(number);
    return node.empty() ? nullptr : std::move(node.mapped());
  }

 private:
  mutable SharedMutex mutex_;
  std::uint64_t last_ HF_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<T>> open_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::mount
