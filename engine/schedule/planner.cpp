#include "engine/schedule/planner.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/schedules.h"
#include "engine/schedule/outcome.h"

namespace holdfast::schedule {
namespace {

// A time found this late still counts as met.
constexpr auto kPunctual = std::chrono::minutes{1};
// Number of the newest missed times to record, because there may be a year of minutes.
constexpr std::size_t kMissedShown = 20;
// Rows that a schedule's history keeps.
constexpr std::int64_t kKept = 10'000;
constexpr int kForgottenAtOnce = 1000;
constexpr int kDueAtOnce = 100;
constexpr std::size_t kPlannedAtOnce = 100;

}  // namespace

// A schedule's time that has come, and what becomes of it for each enabled flow.
struct Planner::Turn {
  Time at{};
  OccurrenceStatus status = OccurrenceStatus::planned;
  std::optional<OccurrenceReason> reason;
};

Result<std::vector<Planned>> Planner::look(Time now) {
  const bool looks_at_all = is_new_;
  if (is_new_ || now < last_look_) HF_CHECK(plan_anew(now));
  is_new_ = false;
  last_look_ = now;
  began_ = std::min(began_, now);
  HF_CHECK(plan_new_ones(now));

  std::vector<Planned> planned;
  for (bool all = false; !all;) {
    HF_TRY(const auto due,
           catalog_.read([&](db::Connection& db) { return Schedules(db).due(now, kDueAtOnce); }));
    for (const Named& schedule : due) {
      HF_TRY(const auto its, come_due(schedule.id, now));
      planned.insert(planned.end(), its.begin(), its.end());
    }
    all = due.size() < kDueAtOnce;
  }
  if (looks_at_all) return look_back(planned);
  return planned;
}

Result<std::optional<Time>> Planner::next_due() {
  return catalog_.read([](db::Connection& db) { return Schedules(db).next_due(); });
}

// Plans again the schedules whose plan was made at a time later than now, because the clock was put back
// since.
Result<> Planner::plan_anew(Time now) {
  HF_TRY(const auto planned,
         catalog_.read([&](db::Connection& db) { return Schedules(db).planned_after(now); }));
  return plan(planned, now);
}

Result<> Planner::plan_new_ones(Time now) {
  HF_TRY(const auto unplanned, catalog_.read([](db::Connection& db) { return Schedules(db).unplanned(); }));
  return plan(unplanned, now);
}

Result<> Planner::plan(std::span<const Id> schedules, Time now) {
  while (!schedules.empty()) {
    const auto some = schedules.first(std::min(schedules.size(), kPlannedAtOnce));
    schedules = schedules.subspan(some.size());
    HF_TRY(const auto changed, catalog_.write([&](db::Connection& db) -> Result<std::vector<Id>> {
      std::vector<Id> moved;
      for (const Id id : some) {
        const auto schedule = Schedules(db).get(id);
        if (!schedule || !schedule->definition.enabled) continue;  // deleted, or disabled
        const auto table = Timetable::of(schedule->definition);
        if (!table) continue;  // written by an older version; its status says so
        const auto next = table->next(now);
        if (next == schedule->next_at) continue;
        HF_CHECK(Schedules(db).set_next(id, next));
        moved.push_back(id);
      }
      return moved;
    }));
    for (const Id id : changed) observer_.changed(ObjectKind::schedule, id);
  }
  return {};
}

std::vector<Planner::Turn> Planner::turns_of(const Schedule& schedule, const Timetable& table,
                                             Time now) const {
  std::vector<Turn> turns;
  const auto times = table.between(*schedule.next_at - std::chrono::milliseconds{1}, now, kMissedShown);
  for (const Time at : times) {
    const auto reason = at >= began_ ? OccurrenceReason::passed_over : OccurrenceReason::daemon_was_down;
    turns.push_back(table.is_blacked_out(at) ? Turn{at, OccurrenceStatus::skipped, OccurrenceReason::blackout}
                                             : Turn{at, OccurrenceStatus::missed, reason});
  }
  // The last time that nothing kept from starting counts as met, or is made up for.
  const auto last = std::ranges::find_if(
      turns.rbegin(), turns.rend(), [](const Turn& turn) { return turn.status == OccurrenceStatus::missed; });
  if (last == turns.rend()) return turns;
  const bool is_met = last->at >= began_ && now - last->at <= kPunctual;
  if (is_met || schedule.definition.missed == MissedAction::run_once)
    *last = {last->at, OccurrenceStatus::planned, {}};
  return turns;
}

Result<std::vector<Planned>> Planner::come_due(Id id, Time now) {
  std::vector<Id> told;
  auto planned = catalog_.write([&](db::Connection& db) -> Result<std::vector<Planned>> {
    std::vector<Planned> found;
    Schedules schedules(db);
    HF_TRY(const Schedule schedule, schedules.get(id));
    if (!schedule.definition.enabled || !schedule.next_at || *schedule.next_at > now) return found;
    const auto table = Timetable::of(schedule.definition);
    if (!table) {
      HF_CHECK(schedules.set_next(id, std::nullopt));
      return found;
    }
    Occurrences occurrences(db);
    HF_TRY(const auto flows, Flows(db).of_schedule(id));
    for (const Turn& turn : turns_of(schedule, *table, now))
      for (const Named& flow : flows) {
        const Occurrence occurrence{.id = new_id(),
                                    .schedule_id = id,
                                    .flow_id = flow.id,
                                    .planned_at = turn.at,
                                    .status = turn.status,
                                    .reason = turn.reason};
        if (turn.status != OccurrenceStatus::planned) {
          HF_CHECK(record_new(db, clock_, occurrence));
          continue;
        }
        HF_TRY(const bool is_new, occurrences.add_if_new(occurrence));
        if (is_new) found.push_back({occurrence, table->start(turn.at, id, flow.id)});
      }
    for (const Named& flow : flows) told.push_back(flow.id);
    HF_CHECK(occurrences.prune(id, kKept, kForgottenAtOnce));
    HF_CHECK(schedules.set_next(id, table->next(now)));
    return found;
  });
  if (!planned) return planned;
  observer_.changed(ObjectKind::schedule, id);
  for (const Id flow : told) observer_.changed(ObjectKind::flow, flow);
  return planned;
}

// Adds times that an earlier process planned but did not reach, unless a later time of the same schedule
// makes up for them.
Result<std::vector<Planned>> Planner::look_back(const std::vector<Planned>& by_now) {
  return catalog_.write([&](db::Connection& db) -> Result<std::vector<Planned>> {
    std::vector<Planned> all = by_now;
    HF_TRY(const auto planned, Occurrences(db).planned());
    for (Occurrence one : planned) {
      const auto is_one = [&](const Planned& other) { return other.occurrence.id == one.id; };
      const auto makes_up = [&](const Planned& other) {
        return other.occurrence.schedule_id == one.schedule_id && other.occurrence.flow_id == one.flow_id;
      };
      if (std::ranges::any_of(by_now, is_one)) continue;
      HF_TRY(const Schedule schedule, Schedules(db).get(one.schedule_id));
      const auto table = Timetable::of(schedule.definition);
      if (!table) continue;  // the schedule's status says so
      const Time moment = table->start(one.planned_at, one.schedule_id, one.flow_id);
      const bool is_given_up =
          schedule.definition.missed == MissedAction::skip || std::ranges::any_of(by_now, makes_up);
      if (moment >= began_ || !is_given_up) {
        all.push_back({one, moment});
        continue;
      }
      one.status = OccurrenceStatus::missed;
      one.reason = OccurrenceReason::daemon_was_down;
      HF_CHECK(record_settled(db, clock_, one));
    }
    return all;
  });
}

}  // namespace holdfast::schedule
