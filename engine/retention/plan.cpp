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

// Reasons beyond the rules to keep the point at `index`. `points` are in order of time.
std::vector<Reason> held_by(const std::vector<Retention::Kept>& points, std::size_t index, bool is_retired,
                            Use use) {
  const Retention::Kept& point = points[index];
  std::vector<Reason> held;
  const auto is_last = [&](auto such) {
    const auto is_later = [&](const Retention::Kept& one) { return one.id != point.id && such(one); };
    return such(point) &&
           std::none_of(points.begin() + static_cast<std::ptrdiff_t>(index) + 1, points.end(), is_later);
  };
  const auto is_of_its_kind = [&](const Retention::Kept& one) {
    return one.repository_id == point.repository_id && one.carried == point.carried;
  };
  if (point.pinned) held.push_back(Reason::pinned);
  if (!is_retired) {
    if (is_last(is_good)) held.push_back(Reason::newest_good);
    if (is_last(
            [](const Retention::Kept& one) { return one.verdict == VerdictResult::good && !one.damaged; }))
      held.push_back(Reason::vouched);
    if (is_last(is_of_its_kind)) held.push_back(Reason::next_run);
  }
  if (use == Use::open) held.push_back(Reason::open);
  if (use == Use::read) held.push_back(Reason::read);
  return held;
}

Candidate candidate_of(const Retention::Kept& point, Series series, std::vector<Reason> held) {
  return {.id = point.id,
          .time = point.time,
          .series = series,
          .policy = {},
          .good = is_good(point),
          .held = std::move(held)};
}

Result<std::optional<Retirement>> retirement_of(db::Connection& db, Id machine) {
  HF_TRY(const auto retired, Retention(db).retirement(machine));
  if (!retired) return std::nullopt;
  return Retirement{retired->at, retired->keep};
}

// Whether a person gave up all points without a delay, and so not for the hour after a read either.
bool gives_up_at_once(const std::optional<Retirement>& retirement) {
  return retirement && retirement->keep == std::chrono::seconds{0};
}

// Keeps an undamaged place of a point that stays, unless another undamaged place of the point stays as well.
void keep_whole_places(std::vector<PlannedPoint>& places) {
  for (auto first = places.begin(); first != places.end();) {
    const auto end = std::find_if(first, places.end(),
                                  [&](const PlannedPoint& one) { return one.point.id != first->point.id; });
    const auto stays = [](const PlannedPoint& one) { return one.judgement.stays(); };
    const auto is_whole_and_stays = [](const PlannedPoint& one) {
      return one.judgement.stays() && !one.point.damaged;
    };
    if (std::any_of(first, end, stays) && std::none_of(first, end, is_whole_and_stays)) {
      const auto whole = std::find_if(first, end, [](const PlannedPoint& one) { return !one.point.damaged; });
      if (whole != end) whole->judgement.reasons.push_back(Reason::whole);
    }
    first = end;
  }
}

// Says what holds the point beyond the rules, with the command that lets it go; "" if nothing does. A read of
// the last hour holds the point against policies alone.
std::string held_against(const std::string& machine, const std::string& point, const Judgement& judgement) {
  const std::string path = fmt::format("machines/{}/points/{}", machine, point);
  for (const Reason reason : judgement.reasons) switch (reason) {
      case Reason::pinned: return fmt::format("it is pinned; first: echo unpin > {}/control", path);
      case Reason::newest_good:
        return fmt::format(
            "it is the last good point of its machine; make another one, or give up all of its points: "
            "echo 'retire keep=0s' > machines/{}/control",
            machine);
      case Reason::vouched:
        return fmt::format(
            "it is the newest point that a user marked good; first mark another one good: "
            "echo 'verdict result=good by=NAME' > machines/{}/points/POINT/control",
            machine);
      case Reason::next_run:
        return fmt::format(
            "it is the newest in its repository, and the next run takes up from it; make another one, or "
            "give up all points of the machine: echo 'retire keep=0s' > machines/{}/control",
            machine);
      case Reason::open:
        return fmt::format("one of its images is open; close it first, fuser -v {}/* shows by whom", path);
      default: break;
    }
  return "";
}

}  // namespace

Result<Plan> make_plan(db::Connection& db, repository::Readers& readers, Id machine, Time now,
                       const Policy* as_if) {
  Plan plan;
  HF_TRY(plan.machine, Machines(db).name_of(machine));
  Retention retention(db);
  HF_TRY(plan.warning, retention.warning(machine));
  HF_TRY(plan.retirement, retirement_of(db, machine));
  HF_TRY(const auto points, retention.points(machine, now));

  std::map<Id, Policy> policies;
  std::map<Id, std::string> repositories;
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Retention::Kept& point = points[i];
    if (!as_if && point.policy_id && !policies.contains(*point.policy_id)) {
      HF_TRY(policies[*point.policy_id], Policies(db).get(*point.policy_id));
    }
    if (!repositories.contains(point.repository_id)) {
      HF_TRY(repositories[point.repository_id], Repositories(db).name_of(point.repository_id));
    }
    Use use = readers.use(point.id, now);
    if (use == Use::read && gives_up_at_once(plan.retirement)) use = Use::none;
    Candidate candidate = candidate_of(point, {point.flow_id.value_or(0), point.repository_id},
                                       held_by(points, i, plan.retirement.has_value(), use));
    PlannedPoint planned{.point = point,
                         .repository = repositories[point.repository_id],
                         .policy = {},
                         .good = candidate.good,
                         .judgement = {}};
    if (as_if ? point.flow_id.has_value() : point.policy_id.has_value()) {
      const Policy& policy = as_if ? *as_if : policies.at(*point.policy_id);
      candidate.policy = policy.definition;
      planned.policy = policy.name;
    }
    candidates.push_back(std::move(candidate));
    plan.points.push_back(std::move(planned));
  }
  const auto judgements = judge(candidates, now, plan.retirement);
  for (std::size_t i = 0; i < judgements.size(); ++i) plan.points[i].judgement = judgements[i];
  keep_whole_places(plan.points);
  return plan;
}

Result<std::set<Id>> worth_carrying(db::Connection& db, const Flow& flow, Id machine, Id repository,
                                    const std::set<Id>& points, Time now) {
  HF_TRY(const auto retirement, retirement_of(db, machine));
  HF_TRY(const auto all, Retention(db).points(machine, now));
  std::optional<PolicyDefinition> policy;
  if (flow.policy_id) {
    HF_TRY(const Policy its, Policies(db).get(*flow.policy_id));
    policy = its.definition;
  }
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Retention::Kept& point = all[i];
    const bool is_there = point.repository_id == repository && point.flow_id == flow.id;
    const bool would_come = !point.copy && points.contains(point.id);
    if (!is_there && !would_come) continue;
    candidates.push_back(
        candidate_of(point, {flow.id, repository}, held_by(all, i, retirement.has_value(), Use::none)));
    candidates.back().policy = policy;
  }
  std::set<Id> worth;
  for (const Judgement& judgement : judge(candidates, now, retirement))
    if (judgement.stays() && points.contains(judgement.id)) worth.insert(judgement.id);
  return worth;
}

std::string held_against_removal(const Plan& plan, Id point) {
  for (const PlannedPoint& place : plan.points) {
    if (place.point.id != point) continue;
    const std::string held = held_against(plan.machine, place.point.name, place.judgement);
    if (!held.empty()) return held;
  }
  return "";
}

}  // namespace holdfast::retention
