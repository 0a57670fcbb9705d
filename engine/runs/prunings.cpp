#include "engine/runs/prunings.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/stores/retention.h"
#include "engine/repository/readers.h"
#include "engine/retention/plan.h"

namespace holdfast::runs {

Result<Id> Prunings::begin(Id machine, const PruneRequest& request, const std::optional<Caller>& caller) {
  std::optional<Asked> asked;
  if (caller) asked = Asked{caller->uid, machine};
  HF_TRY(const Guard admission, runner_.admit(asked));
  HF_TRY(Work work, begin_pruning(services_, machine, request, caller));
  work.asked_by = asked;
  // Points may lie elsewhere afterwards, or in other images: repositories carry where.
  work.perform = [this, prune = std::move(work.perform)](ProgressMeter& progress,
                                                         const source::Cancel& cancel) {
    auto end = prune(progress, cancel);
    definitions_.changed();
    return end;
  };
  const Id job = work.job;
  runner_.add(std::move(work));
  return job;
}

bool Prunings::is_needed(Id machine) {
  const auto plan = services_.catalog.read([&](db::Connection& db) {
    return retention::make_plan(db, services_.readers, machine, services_.clock.now());
  });
  return !plan || !plan->warning.empty() ||
         std::ranges::any_of(plan->points, [](const auto& point) { return !point.judgement.stays(); });
}

void Prunings::begin_by_itself(Id machine, bool by_policy) {
  const auto begun = begin(machine, {.name = "", .by_policy = by_policy}, std::nullopt);
  if (!begun && begun.error().code != EBUSY)
    log::warning("machine {} is not pruned now: {}", machine, begun.error().message);
}

void Prunings::judge(Id machine) {
  if (is_needed(machine)) begin_by_itself(machine, true);
}

void Prunings::make_room(Id machine) { begin_by_itself(machine, false); }

void Prunings::judge_retired() {
  constexpr std::chrono::hours kPause{1};
  if (const auto stored = services_.clock_watch.remember(services_.catalog); !stored)
    log::warning("the clock can't be stored: {}", stored.error().message);
  const Time now = services_.clock.now();
  Time before = retired_looked_at_;
  const bool is_early = before <= now && before + kPause > now;  // later than now: the clock was put back
  if (is_early || !retired_looked_at_.compare_exchange_strong(before, now)) return;
  const auto over = services_.catalog.read([&](db::Connection& db) { return Retention(db).over(now); });
  if (!over) return log::warning("retired machines can't be looked for: {}", over.error().message);
  for (const Id machine : *over) judge(machine);
}

}  // namespace holdfast::runs
