#include "engine/capture/throttle.h"

#include <algorithm>

#include "engine/capture/patience.h"

namespace holdfast::capture {

void Throttle::set_rate(std::optional<std::uint64_t> bytes_a_second) {
  const MutexLock lock(mutex_);
  rate_ = bytes_a_second;
  free_at_ = {};
}

// Gives each piece the time it takes at the rate, one after another. Idle time is not saved up.
Throttle::Steady::time_point Throttle::turn_of(std::uint64_t bytes) {
  const MutexLock lock(mutex_);
  if (!rate_) return {};
  const std::chrono::duration<double> needed{static_cast<double>(bytes) / static_cast<double>(*rate_)};
  free_at_ = std::max(free_at_, Steady::now()) + std::chrono::duration_cast<Steady::duration>(needed);
  return free_at_;
}

Result<> Throttle::take(std::uint64_t bytes, const source::Cancel& cancel) {
  return wait_until(turn_of(bytes), &cancel);
}

std::shared_ptr<Throttle> Throttles::of(Id object, std::optional<std::uint64_t> bytes_a_second) {
  const MutexLock lock(mutex_);
  std::erase_if(throttles_, [](const auto& entry) { return entry.second.expired(); });
  if (auto shared = throttles_[object].lock()) return shared;
  auto made = std::make_shared<Throttle>();
  made->set_rate(bytes_a_second);
  throttles_[object] = made;
  return made;
}

void Throttles::changed(Id object, std::optional<std::uint64_t> bytes_a_second) {
  const MutexLock lock(mutex_);
  const auto found = throttles_.find(object);
  if (found == throttles_.end()) return;
  if (const auto shared = found->second.lock()) shared->set_rate(bytes_a_second);
}

}  // namespace holdfast::capture
