#include "engine/retention/plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"

namespace holdfast::retention {
namespace {

using Use = repository::Readers::Use;

bool is_good(const Retention::Kept& point) { return !point.damaged && point.verdict != VerdictResult::bad; }

// Of points by their time, what holds each beyond the rules.
std::vector<Reason> held_by(const std::vector<Retention::Kept>& points, std::size_t index, bool is_retired,
                            Use use) {
  const Retention::Kept& point = points[index];
  std::vector<Reason> held;
  const auto is_last = [&](auto such) {
    return such(point) &&
           std::none_of(points.begin() + static_cast<std::ptrdiff_t>(index) + 1, points.end(), such);
  };
  if (point.pinned) held.push_back(Reason::pinned);
  if (!is_retired) {
    if (is_last(is_good)) held.push_back(Reason::newest_good);
    if (is_last(
            [](const Retention::Kept& one) { return one.verdict == VerdictResult::good && !one.damaged; }))
      held.push_back(Reason::vouched);
    if (is_last([&](const Retention::Kept& one) { return one.repository_id == point.repository_id; }))
      held.push_back(Reason::next_run);
  }
  if (point.copied) held.push_back(Reason::copied);
  if (use == Use::open) held.push_back(Reason::open);
  if (use == Use::read) held.push_back(Reason::read);
  return held;
}

}  // namespace

Result<Plan> make_plan(db::Connection& db, repository::Readers& readers, Id machine, Time now) {
  Plan plan;
  HF_TRY(plan.machine, Machines(db).name_of(machine));
  Retention retention(db);
  HF_TRY(plan.warning, retention.warning(machine));
  HF_TRY(const auto retired, retention.retirement(machine));
  if (retired) plan.retirement = Retirement{retired->at, retired->keep};
  HF_TRY(const auto points, retention.points(machine, now));

  std::map<Id, Policy> policies;
  std::map<Id, std::string> repositories;
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Retention::Kept& point = points[i];
    if (point.policy_id && !policies.contains(*point.policy_id)) {
      HF_TRY(policies[*point.policy_id], Policies(db).get(*point.policy_id));
    }
    if (!repositories.contains(point.repository_id)) {
      HF_TRY(repositories[point.repository_id], Repositories(db).name_of(point.repository_id));
    }
    Candidate candidate{.id = point.id,
                        .time = point.time,
                        .series = {point.flow_id.value_or(0), point.repository_id},
                        .policy = {},
                        .good = is_good(point),
                        .held = held_by(points, i, retired.has_value(), readers.use(point.id, now))};
    PlannedPoint planned{.point = point,
                         .repository = repositories[point.repository_id],
                         .policy = {},
                         .good = candidate.good,
                         .judgement = {}};
    if (point.policy_id) {
      const Policy& policy = policies.at(*point.policy_id);
      candidate.policy = policy.definition;
      planned.policy = policy.name;
    }
    candidates.push_back(std::move(candidate));
    plan.points.push_back(std::move(planned));
  }
  const auto judgements = judge(candidates, now, plan.retirement);
  for (std::size_t i = 0; i < judgements.size(); ++i) plan.points[i].judgement = judgements[i];
  return plan;
}

std::string held_against_removal(const PlannedPoint& point) {
  for (const Reason reason : point.judgement.reasons) switch (reason) {
      case Reason::pinned: return "it is pinned; unpin it first";
      case Reason::newest_good:
        return "it is the last good point of its machine; make another one, or retire the machine";
      case Reason::vouched:
        return "it is the last point that somebody called good; call another one good first";
      case Reason::next_run:
        return "it is the newest in its repository, and the next run takes up from it; make another one, or "
               "retire the "
               "machine";
      case Reason::copied: return "another repository has a copy of it, which belongs to it";
      case Reason::open: return "somebody has it open";
      case Reason::read: return "somebody has read it within the last hour";
      default: break;
    }
  return "";
}

}  // namespace holdfast::retention
