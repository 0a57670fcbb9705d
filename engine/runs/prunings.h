// Begins prunings: those that somebody asks for, and those that the daemon owes its machines.
#pragma once

#include <atomic>

#include "engine/repository/definitions.h"
#include "engine/runs/begin.h"
#include "engine/runs/runner.h"

namespace holdfast::runs {

// Hands prunings to the runner, and outlives them. What the daemon begins by itself may be refused while it
// drains or stops; the machine keeps its mark, and the next occasion comes. Any thread may call.
class Prunings {
 public:
  Prunings(const capture::Services& services, Runner& runner, repository::Definitions& definitions)
      : services_(services), runner_(runner), definitions_(definitions) {}

  // Returns the job; EBUSY if no new work is accepted, EDQUOT if the caller has too many jobs, EEXIST if the
  // name is taken.
  Result<Id> begin(Id machine, const PruneRequest& request, const std::optional<Caller>& caller);

  // Prunes the machine if its policies let points go, or if its last pruning left something undone.
  void judge(Id machine);
  // Frees the space of points that are already retired.
  void make_room(Id machine);
  // Judges the retired machines whose time is over, because no run of theirs does. Looks once an hour at
  // most.
  void judge_retired();

 private:
  bool is_needed(Id machine);
  void begin_by_itself(Id machine, bool by_policy);

  const capture::Services& services_;
  Runner& runner_;
  repository::Definitions& definitions_;
  std::atomic<Time> retired_looked_at_ = Time{};
};

}  // namespace holdfast::runs
