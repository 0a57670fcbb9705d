// A map of bounded cost that evicts the least recently used entries.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <unordered_map>
#include <utility>

namespace holdfast {

// Not thread-safe.
template <class Key, class Value, class Hash = std::hash<Key>>
class Lru {
 public:
  // `most`: the largest sum of all entries' costs. The entry that was put last stays, whatever its cost.
  explicit Lru(std::size_t most) : most_(most) {}

  // Returns the value, which becomes the most recently used; null if it is absent. The pointer is valid until
  // the next put() or erase().
  Value* find(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, found->second);
    return &found->second->value;
  }

  // Adds the value, or replaces it.
  void put(const Key& key, Value value, std::size_t cost = 1) {
    erase(key);
    entries_.push_front({key, std::move(value), cost});
    index_[key] = entries_.begin();
    cost_ += cost;
    while (cost_ > most_ && entries_.size() > 1) {
      const Key oldest = entries_.back().key;
      erase(oldest);
    }
  }

  void erase(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    cost_ -= found->second->cost;
    entries_.erase(found->second);
    index_.erase(found);
  }

  // The sum of all entries' costs.
  std::size_t cost() const { return cost_; }

 private:
  struct Entry {
    Key key;
    Value value;
    std::size_t cost;
  };

  const std::size_t most_;
  std::size_t cost_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> index_;
};

}  // namespace holdfast
