// The definitions whose names are gone for a moment: `mv` from another file system unlinks config.json before
// it writes the new one (rule 3). The definition itself stays.
#pragma once

#include <mutex>
#include <unordered_map>

#include "catalog/base/clock.h"
#include "fsd/tree/place.h"

namespace holdfast::tree {

// Any thread may call.
class Absences {
 public:
  explicit Absences(const Clock& clock) : clock_(clock) {}

  void begin(const Place& place) {
    const std::lock_guard lock(mutex_);
    until_[place] = clock_.now() + kMoment;
  }
  void end(const Place& place) {
    const std::lock_guard lock(mutex_);
    until_.erase(place);
  }
  bool has(const Place& place) {
    const std::lock_guard lock(mutex_);
    const auto found = until_.find(place);
    if (found == until_.end()) return false;
    if (clock_.now() < found->second) return true;
    until_.erase(found);
    return false;
  }

 private:
  static constexpr auto kMoment = std::chrono::seconds(5);

  const Clock& clock_;
  std::mutex mutex_;  // guards what follows
  std::unordered_map<Place, Time, PlaceHash> until_;
};

}  // namespace holdfast::tree
