#include "engine/runs/job_turns.h"

namespace holdfast::runs {

std::optional<WaitReason> JobTurns::full_for(const Work& work) const {
  if (work.beside) return std::nullopt;
  if (running_ >= limit_) return WaitReason::max_concurrent_jobs;
  if (!work.repository) return std::nullopt;
  const auto limit = limits_.find(*work.repository);
  const auto running = running_of_.find(*work.repository);
  const bool is_full =
      limit != limits_.end() && running != running_of_.end() && running->second >= limit->second;
  return is_full ? std::optional{WaitReason::max_jobs} : std::nullopt;
}

bool JobTurns::goes_before(const Work& a, const Work& b) const {
  if (a.priority != b.priority) return a.priority > b.priority;
  return last_turn_of(a.flow) < last_turn_of(b.flow);
}

void JobTurns::begins(const Work& work) {
  if (work.beside) return;
  last_turns_[work.flow] = ++turn_;
  ++running_;
  if (work.repository) ++running_of_[*work.repository];
}

void JobTurns::ends(const Work& work) {
  if (work.beside) return;
  --running_;
  if (!work.repository) return;
  const auto running = running_of_.find(*work.repository);
  if (--running->second == 0) running_of_.erase(running);
}

std::uint64_t JobTurns::last_turn_of(Id flow) const {
  const auto found = last_turns_.find(flow);
  return found == last_turns_.end() ? 0 : found->second;
}

}  // namespace holdfast::runs
