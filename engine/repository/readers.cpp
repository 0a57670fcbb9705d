#include "engine/repository/readers.h"

#include <algorithm>

namespace holdfast::repository {
namespace {

constexpr std::chrono::hours kLately{1};
constexpr std::chrono::milliseconds kLook{100};  // how often `gave_up` is asked

}  // namespace

SharedMutex& Readers::gate(Id repository) {
  const MutexLock lock(mutex_);
  return gates_[repository];
}

Readers::Open::Open(Readers& readers, Id point, const Clock& clock)
    : readers_(readers), point_(point), clock_(clock) {
  const MutexLock lock(readers_.mutex_);
  ++readers_.readings_[point_].open;
}

Readers::Open::~Open() {
  const Time now = clock_.now();
  const MutexLock lock(readers_.mutex_);
  std::erase_if(readers_.readings_, [&](const auto& entry) {
    return entry.second.open == 0 && entry.second.last + kLately <= now;
  });
  Reading& reading = readers_.readings_[point_];
  --reading.open;
  reading.last = now;
}

void Readers::was_read(Id point, Time at) {
  const MutexLock lock(mutex_);
  Reading& reading = readings_[point];
  reading.last = std::max(reading.last, at);
}

Readers::Use Readers::use(Id point, Time now) {
  const MutexLock lock(mutex_);
  const auto found = readings_.find(point);
  if (found == readings_.end()) return Use::none;
  if (found->second.open > 0) return Use::open;
  return found->second.last + kLately > now ? Use::read : Use::none;
}

Guard Readers::study(Id machine, const std::function<bool()>& gave_up) {
  const MutexLock lock(mutex_);
  while (studied_[machine] < 0) {
    moved_.wait_until(mutex_, CondVar::Steady::now() + kLook);
    if (gave_up()) return {};
  }
  ++studied_[machine];
  return Guard([this, machine] {
    const MutexLock relock(mutex_);
    if (--studied_[machine] == 0) studied_.erase(machine);
  });
}

Guard Readers::clear(Id machine) {
  const MutexLock lock(mutex_);
  if (studied_.contains(machine) && studied_[machine] != 0) return {};
  studied_[machine] = -1;
  return Guard([this, machine] {
    {
      const MutexLock relock(mutex_);
      studied_.erase(machine);
    }
    moved_.notify_all();
  });
}

}  // namespace holdfast::repository
