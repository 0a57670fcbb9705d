// A cache of shared values that several threads fill and read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"

namespace holdfast::image {

// The memory that a cached value takes.
inline std::size_t memory_of(const Bytes& bytes) { return bytes.size(); }
template <class Value>
std::size_t memory_of(const Value& value) {
  return value.memory();
}

// Values are shared and never change. A value stays alive while it is held, also after its eviction. Any
// thread may call. One thread makes a value while others that want it wait. A `make` function may therefore
// ask the cache only for values that never depend on its own.
template <class Key, class Value, class Hash>
class SharedCache {
 public:
  using Pointer = std::shared_ptr<const Value>;

  explicit SharedCache(std::size_t most_bytes) : values_(most_bytes) {}

  // Returns null if the value is absent and no thread is making it.
  Pointer find(const Key& key) {
    const MutexLock lock(mutex_);
    return find_made(key);
  }

  // Returns the cached value, or makes it: `make` returns a Result of a pointer to it.
  template <class Make>
  Result<Pointer> get(const Key& key, Make&& make) {
    {
      const MutexLock lock(mutex_);
      if (auto found = find_made(key)) return found;
      being_made_.push_back(key);
    }
    Result<Pointer> made = make();
    const MutexLock lock(mutex_);
    being_made_.erase(std::ranges::find(being_made_, key));
    made_.notify_all();
    if (made) values_.put(key, *made, memory_of(**made));
    return made;
  }

  std::size_t memory() const {
    const MutexLock lock(mutex_);
    return values_.cost();
  }

 private:
  // Waits while another thread makes the value. Returns null if the value is absent.
  Pointer find_made(const Key& key) HF_REQUIRES(mutex_) {
    while (std::ranges::find(being_made_, key) != being_made_.end()) made_.wait(mutex_);
    const Pointer* found = values_.find(key);
    return found == nullptr ? nullptr : *found;
  }

  mutable Mutex mutex_;
  CondVar made_;
  std::vector<Key> being_made_ HF_GUARDED_BY(mutex_);  // at most one for each thread
  Lru<Key, Pointer, Hash> values_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::image
