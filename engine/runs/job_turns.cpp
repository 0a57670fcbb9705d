#include "engine/runs/job_turns.h"

#include <algorithm>

namespace holdfast::runs {
namespace {

bool is_by_hand(const Work& work) { return work.flow == 0 && work.asked_by && work.asked_by->uid != 0; }

}  // namespace

bool JobTurns::is_full(const Work& work, const Running& running, unsigned limit) {
  return running.all >= limit || (is_by_hand(work) && running.by_hand >= std::max(limit / 2, 1u));
}

std::optional<WaitReason> JobTurns::full_for(const Work& work) const {
  if (work.beside) return std::nullopt;
  if (is_full(work, running_, limit_)) return WaitReason::max_concurrent_jobs;
  if (work.boots_guest && boot_checks_ >= kMostBootChecks) return WaitReason::boot_check_busy;
  if (!work.repository) return std::nullopt;
  const auto limit = limits_.find(*work.repository);
  const auto running = running_of_.find(*work.repository);
  const bool has_room = limit == limits_.end() || running == running_of_.end() ||
                        !is_full(work, running->second, limit->second);
  return has_room ? std::nullopt : std::optional{WaitReason::max_jobs};
}

bool JobTurns::goes_before(const Work& a, const Work& b) const {
  if (a.priority != b.priority) return a.priority > b.priority;
  return last_turn_of(a.flow) < last_turn_of(b.flow);
}

void JobTurns::begins(const Work& work) {
  if (work.beside) return;
  last_turns_[work.flow] = ++turn_;
  const unsigned by_hand = is_by_hand(work) ? 1 : 0;
  boot_checks_ += work.boots_guest;
  ++running_.all;
  running_.by_hand += by_hand;
  if (!work.repository) return;
  Running& there = running_of_[*work.repository];
  ++there.all;
  there.by_hand += by_hand;
}

void JobTurns::ends(const Work& work) {
  if (work.beside) return;
  const unsigned by_hand = is_by_hand(work) ? 1 : 0;
  boot_checks_ -= work.boots_guest;
  --running_.all;
  running_.by_hand -= by_hand;
  if (!work.repository) return;
  const auto there = running_of_.find(*work.repository);
  there->second.by_hand -= by_hand;
  if (--there->second.all == 0) running_of_.erase(there);
}

std::uint64_t JobTurns::last_turn_of(Id flow) const {
  const auto found = last_turns_.find(flow);
  return found == last_turns_.end() ? 0 : found->second;
}

}  // namespace holdfast::runs
