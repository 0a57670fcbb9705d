#include "engine/runs/turns.h"

#include <algorithm>
#include <vector>

namespace holdfast::runs {

namespace {

// Returns the objects of the work that may have limits of their own.
std::vector<Id> limited(const Work& work) {
  std::vector<Id> objects;
  for (const auto& object : {work.repository, work.source})
    if (object) objects.push_back(*object);
  return objects;
}

}  // namespace

std::optional<WaitReason> Turns::full_for(const Work& work) const {
  const auto is_full = [this](Id object) {
    const auto limit = limits_.find(object);
    const auto running = running_of_.find(object);
    return limit != limits_.end() && running != running_of_.end() && running->second >= limit->second;
  };
  if (work.beside) return std::nullopt;
  if (running_ >= limit_) return WaitReason::max_concurrent_jobs;
  if (std::ranges::any_of(limited(work), is_full)) return WaitReason::max_jobs;
  return std::nullopt;
}

bool Turns::goes_before(const Work& a, const Work& b) const {
  if (a.priority != b.priority) return a.priority > b.priority;
  return last_turn_of(a.flow) < last_turn_of(b.flow);
}

void Turns::begins(const Work& work) {
  if (work.beside) return;
  last_turns_[work.flow] = ++turn_;
  ++running_;
  for (const Id object : limited(work)) ++running_of_[object];
}

void Turns::ends(const Work& work) {
  if (work.beside) return;
  --running_;
  for (const Id object : limited(work)) {
    const auto running = running_of_.find(object);
    if (--running->second == 0) running_of_.erase(running);
  }
}

std::uint64_t Turns::last_turn_of(Id flow) const {
  const auto found = last_turns_.find(flow);
  return found == last_turns_.end() ? 0 : found->second;
}

}  // namespace holdfast::runs
