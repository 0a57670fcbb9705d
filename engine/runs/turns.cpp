#include "engine/runs/turns.h"

namespace holdfast::runs {

bool Turns::has_room(const Work& work) const {
  if (running_ >= limit_) return false;
  if (!work.repository) return true;
  const auto limit = repository_limits_.find(*work.repository);
  const auto running = of_repository_.find(*work.repository);
  return limit == repository_limits_.end() || running == of_repository_.end() ||
         running->second < limit->second;
}

bool Turns::goes_before(const Work& a, const Work& b) const {
  if (a.priority != b.priority) return a.priority > b.priority;
  return last_turn_of(a.flow) < last_turn_of(b.flow);
}

void Turns::begins(const Work& work) {
  last_turns_[work.flow] = ++turn_;
  ++running_;
  if (work.repository) ++of_repository_[*work.repository];
}

void Turns::ends(const Work& work) {
  --running_;
  if (!work.repository) return;
  const auto running = of_repository_.find(*work.repository);
  if (--running->second == 0) of_repository_.erase(running);
}

std::uint64_t Turns::last_turn_of(Id flow) const {
  const auto found = last_turns_.find(flow);
  return found == last_turns_.end() ? 0 : found->second;
}

}  // namespace holdfast::runs
