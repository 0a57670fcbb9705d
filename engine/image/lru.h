// A bounded cache that evicts the least recently used value.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"

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
class Lru {
 public:
  using Pointer = std::shared_ptr<const Value>;

  explicit Lru(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  // Returns null if the value is absent and no thread is making it.
  Pointer find(const Key& key) {
    std::unique_lock lock(mutex_);
    return find(key, lock);
  }

  // Returns the cached value, or makes it: `make` returns a Result of a pointer to it.
  template <class Make>
  Result<Pointer> get(const Key& key, Make&& make) {
    std::unique_lock lock(mutex_);
    if (auto found = find(key, lock)) return found;
    being_made_.push_back(key);
    lock.unlock();
    Result<Pointer> made = make();
    lock.lock();
    being_made_.erase(std::ranges::find(being_made_, key));
    made_.notify_all();
    if (made) put(key, *made);
    return made;
  }

  std::size_t memory() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  struct Entry {
    Key key;
    Pointer value;
  };

  Pointer find(const Key& key, std::unique_lock<std::mutex>& lock) {
    made_.wait(lock, [&] { return std::ranges::find(being_made_, key) == being_made_.end(); });
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  void put(const Key& key, const Pointer& value) {
    entries_.push_front({key, value});
    index_[key] = entries_.begin();
    bytes_ += memory_of(*value);
    while (bytes_ > most_bytes_ && entries_.size() > 1) {
      bytes_ -= memory_of(*entries_.back().value);
      index_.erase(entries_.back().key);
      entries_.pop_back();
    }
  }

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable made_;
  std::vector<Key> being_made_;  // at most one for each thread
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> index_;
};

}  // namespace holdfast::image
