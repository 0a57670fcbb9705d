// Open files and directories by the number that the kernel hands back.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

namespace holdfast::mount {

// Any thread may call. What was opened lives until its release and the last call on it are both over.
template <class T>
class Handles {
 public:
  std::uint64_t add(std::shared_ptr<T> opened) {
    const std::unique_lock lock(mutex_);
    open_[++last_] = std::move(opened);
    return last_;
  }
  std::shared_ptr<T> find(std::uint64_t number) const {
    const std::shared_lock lock(mutex_);
    const auto found = open_.find(number);
    return found == open_.end() ? nullptr : found->second;
  }
  std::shared_ptr<T> remove(std::uint64_t number) {
    const std::unique_lock lock(mutex_);
    auto node = open_.extract(number);
    return node.empty() ? nullptr : std::move(node.mapped());
  }

 private:
  mutable std::shared_mutex mutex_;  // guards what follows
  std::uint64_t last_ = 0;
  std::unordered_map<std::uint64_t, std::shared_ptr<T>> open_;
};

}  // namespace holdfast::mount
