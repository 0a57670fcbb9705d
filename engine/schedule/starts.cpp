#include "engine/schedule/starts.h"

#include <utility>

#include "catalog/stores/chained_starts.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/schedules.h"
#include "engine/schedule/outcome.h"
#include "engine/schedule/timetable.h"

namespace holdfast::schedule {

void Starts::forget() {
  pending_.clear();
  waiting_.clear();
}

Result<> Starts::look(Time now) {
  for (const auto& [flow, planned] : std::exchange(waiting_, {})) add(planned);
  while (!pending_.empty() && pending_.begin()->first <= now) {
    const Planned planned{.occurrence = pending_.begin()->second, .moment = pending_.begin()->first};
    HF_TRY(const bool is_settled, start(planned.occurrence, now));
    if (!is_settled) waiting_.emplace(planned.occurrence.flow_id, planned);
    pending_.erase(pending_.begin());
  }
  return start_chained();
}

std::optional<Time> Starts::next() const {
  return pending_.empty() ? std::nullopt : std::optional(pending_.begin()->first);
}

Result<bool> Starts::start(const Occurrence& planned, Time now) {
  const auto admission = starter_.admit();
  auto answered = catalog_.write([&](db::Connection& db) -> Result<Answer> {
    HF_TRY(Answer given, answer(db, planned, now, admission.has_value()));
    Occurrence settled = planned;
    settled.status = given.skipped ? OccurrenceStatus::skipped : OccurrenceStatus::started;
    settled.reason = given.skipped;
    if (given.run) settled.execution_id = given.run->execution;
    if (given.skipped || given.run) HF_CHECK(record_settled(db, clock_, settled));
    return given;
  });
  if (!answered) {
    HF_CHECK(catalog_.write([&](db::Connection& db) {
      Occurrence settled = planned;
      settled.status = OccurrenceStatus::skipped;
      settled.reason = OccurrenceReason::refused;
      return record_settled(db, clock_, settled, answered.error().message);
    }));
    return true;
  }
  if (answered->run) starter_.take_on(std::move(*answered->run));
  return !answered->waits;
}

Result<Starts::Answer> Starts::answer(db::Connection& db, const Occurrence& planned, Time now,
                                      bool is_admitted) {
  HF_TRY(const bool is_there, Occurrences(db).is_planned(planned.id));
  if (!is_there) return Answer{};  // flow or schedule was deleted
  HF_TRY(const Flow flow, Flows(db).get(planned.flow_id));
  HF_TRY(const Schedule schedule, Schedules(db).get(planned.schedule_id));
  HF_TRY(const Timetable table, Timetable::of(schedule.definition));
  const bool follows = flow.schedule_id == planned.schedule_id && schedule.definition.enabled;
  if (!follows || !flow.definition.enabled) return Answer{.skipped = OccurrenceReason::disabled};
  if (table.is_blacked_out(now)) return Answer{.skipped = OccurrenceReason::blackout};
  if (!is_admitted) return Answer{.skipped = OccurrenceReason::draining};
  return answer(db, flow, "schedules/" + schedule.name, waiting_.contains(flow.id));
}

Result<Starts::Answer> Starts::answer(db::Connection& db, const Flow& flow, const std::string& by,
                                      bool somebody_waits) {
  HF_TRY(const auto latest, Executions(db).latest(flow.id));
  if (latest && !is_final(latest->status)) {
    if (flow.definition.overlap == Overlap::queue && !somebody_waits) return Answer{.waits = true};
    return Answer{.skipped = OccurrenceReason::already_running};
  }
  HF_TRY(auto run, starter_.begin(db, flow.id, by));
  return Answer{.run = std::move(run)};
}

// Starts the turns after other flows. While the daemon drains they stay in the catalog.
Result<> Starts::start_chained() {
  HF_TRY(const auto all, catalog_.read([](db::Connection& db) { return ChainedStarts(db).list(); }));
  for (const ChainedStart& one : all) HF_CHECK(start_chained(one));
  return {};
}

Result<> Starts::start_chained(const ChainedStart& chained) {
  const auto admission = starter_.admit();
  if (!admission) return {};
  auto answered = catalog_.write([&](db::Connection& db) -> Result<Answer> {
    Answer given;
    HF_TRY(const Flow flow, Flows(db).get(chained.flow_id));
    if (!flow.definition.enabled) {
      given.skipped = OccurrenceReason::disabled;
    } else {
      HF_TRY(const std::string before, Flows(db).name_of(chained.after_flow_id));
      HF_TRY(given, answer(db, flow, "flows/" + before, waiting_.contains(flow.id)));
    }
    if (given.waits) return given;
    HF_CHECK(ChainedStarts(db).take(flow.id));
    if (given.skipped) HF_CHECK(record_chained(db, clock_, flow.id, *given.skipped));
    return given;
  });
  if (!answered)
    return catalog_.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(ChainedStarts(db).take(chained.flow_id));
      return record_chained(db, clock_, chained.flow_id, OccurrenceReason::refused, answered.error().message);
    });
  if (answered->run) starter_.take_on(std::move(*answered->run));
  return {};
}

}  // namespace holdfast::schedule
