// A map of values that live as long as somebody else holds them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>

namespace holdfast {

// Not thread-safe. Entries of values that have gone cost a little until their number has doubled.
template <class Key, class T, class Hash = std::hash<Key>>
class WeakMap {
 public:
  // Returns null if the value is absent or has gone.
  std::shared_ptr<T> find(const Key& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : found->second.lock();
  }

  void put(const Key& key, const std::shared_ptr<T>& value) {
    values_[key] = value;
    if (values_.size() < sweep_at_) return;
    std::erase_if(values_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max(kLeast, 2 * values_.size());
  }

 private:
  static constexpr std::size_t kLeast = 64;

  std::unordered_map<Key, std::weak_ptr<T>, Hash> values_;
  std::size_t sweep_at_ = kLeast;
};

}  // namespace holdfast
