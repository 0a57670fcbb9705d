// A bounded cache that forgets what was used longest ago.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace holdfast::image {

// Values are shared and never change; one that was found stays alive for as long as it is held, also after
// the cache has forgotten it. Any thread may call.
template <class Key, class Value, class Hash>
class Lru {
 public:
  explicit Lru(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  std::shared_ptr<const Value> find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->value;
  }

  void put(const Key& key, std::shared_ptr<const Value> value, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const auto [place, is_new] = index_.try_emplace(key);
    if (!is_new) return;  // another thread was faster; its value is as good
    entries_.push_front({key, std::move(value), bytes});
    place->second = entries_.begin();
    bytes_ += bytes;
    while (bytes_ > most_bytes_ && entries_.size() > 1) {
      bytes_ -= entries_.back().bytes;
      index_.erase(entries_.back().key);
      entries_.pop_back();
    }
  }

 private:
  struct Entry {
    Key key;
    std::shared_ptr<const Value> value;
    std::size_t bytes = 0;
  };

  const std::size_t most_bytes_;
  std::mutex mutex_;
  std::size_t bytes_ = 0;
  std::list<Entry> entries_;  // the newest first
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> index_;
};

}  // namespace holdfast::image
