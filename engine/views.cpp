// What the catalog alone answers of an object, inside a transaction.
#include <algorithm>

#include "catalog/model/rights.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "catalog/stores/schedules.h"
#include "engine/live_engine.h"
#include "engine/schedule/timetable.h"

namespace holdfast {
namespace {

// As long as its chain's full took, for as many bytes: what is restored is read and written once, as that
// was.
Result<std::optional<double>> restore_seconds(db::Connection& db, const Point& point) {
  HF_TRY(const auto made_by, Points(db).job_of_full(point.chain_id));
  if (!made_by) return std::nullopt;
  HF_TRY(const Job job, Jobs(db).get(*made_by));
  if (!job.started_at || !job.completed_at || job.bytes_read == 0) return std::nullopt;
  std::uint64_t bytes = 0;
  for (const PointDisk& disk : point.disks) bytes += disk.bytes_used;
  const std::chrono::duration<double> took = *job.completed_at - *job.started_at;
  return took.count() * static_cast<double>(bytes) / static_cast<double>(job.bytes_read);
}

}  // namespace

Result<MachineView> view_machine(db::Connection& db, Id id, Time now) {
  MachineView view;
  HF_TRY(view.machine, Machines(db).get(id));
  HF_TRY(view.disks, Machines(db).disks(id));
  HF_TRY(view.total, Points(db).of_machine(id));
  HF_TRY(view.newest, Points(db).newest_good(id));
  if (view.newest) {
    HF_TRY(view.restore_seconds, restore_seconds(db, *view.newest));
  }
  view.revision = view.machine.revision;
  HF_TRY(view.busy, Jobs(db).has_unfinished(id));
  HF_TRY(const auto leftovers, Leftovers(db).of_machine(id));
  if (!leftovers.empty() && !view.busy)  // else it is what the run that is under way has made
    view.warnings.push_back(
        fmt::format("an earlier run left {} things at the source; they are swept as soon as it lets them go",
                    leftovers.size()));
  if (const auto& objective = view.machine.definition.objective) {
    view.within_objective = view.newest && now - view.newest->time <= *objective;
    if (!*view.within_objective)
      view.warnings.push_back(
          view.newest ? fmt::format("the newest good point is of {}, older than the objective allows",
                                    iso_time(view.newest->time))
                      : "there is no good point yet, which the objective asks for");
  }
  HF_TRY(const std::int64_t damaged, Points(db).damaged(id));
  if (damaged > 0)
    view.warnings.push_back(fmt::format("{} of its points {} damaged, by the last verification", damaged,
                                        damaged == 1 ? "is" : "are"));
  if (view.total.points > 0 && !view.newest) view.warnings.push_back("none of its points is good");
  HF_TRY(const auto retired, Retention(db).retirement(id));
  if (retired) view.retired_until = retired->at + retired->keep;
  HF_TRY(std::string warning, Retention(db).warning(id));
  if (!warning.empty()) view.warnings.push_back("pruning: " + std::move(warning));
  return view;
}

// Whether changes are told is known by what came of the newest points.
Result<DiskView> view_disk(db::Connection& db, Id machine, Id id) {
  DiskView view;
  HF_TRY(const auto disks, Machines(db).disks(machine));
  const auto found = std::ranges::find(disks, id, &Disk::id);
  HF_TRY(const Machine owner, Machines(db).get(machine));
  if (found == disks.end()) return fail(ENOENT, "machines/{} no longer has this disk", owner.name);
  view.disk = *found;
  HF_TRY(const auto repositories, Points(db).repositories_of(machine));
  bool told = false, reset = false;
  for (const Id repository : repositories) {
    HF_TRY(const auto newest, Points(db).newest(machine, repository));
    if (!newest) continue;
    const auto disk = std::ranges::find(newest->disks, id, &PointDisk::disk_id);
    if (disk == newest->disks.end()) continue;
    HF_TRY(const std::string name, Repositories(db).name_of(repository));
    view.change_ids[name] = disk->change_id;
    told |= !disk->change_id.empty();
    reset |= newest->cbt_reset;
  }
  if (reset) view.cbt_reason = "reset-cbt was asked for: the next point is a full one";
  if (told || reset) return view;
  view.cbt_reason = view.change_ids.empty() ? "it is in no point yet"
                                            : fmt::format("driver {}: its newest points have no change id",
                                                          to_word(owner.definition.driver));
  return view;
}

namespace {

struct FlowRows {
  Flow flow;
  std::optional<Execution> last;
  std::optional<Schedule> schedule;

  std::int64_t revision() const {
    return std::max({flow.revision, last ? last->revision : 0, schedule ? schedule->revision : 0});
  }
};

Result<FlowRows> rows_of_flow(db::Connection& db, Id id) {
  FlowRows rows;
  HF_TRY(rows.flow, Flows(db).get(id));
  HF_TRY(rows.last, Executions(db).latest(id));
  if (rows.flow.schedule_id) {
    HF_TRY(rows.schedule, Schedules(db).get(*rows.flow.schedule_id));
  }
  return rows;
}

}  // namespace

Result<FlowView> view_flow(db::Connection& db, Id id, Time now) {
  HF_TRY(FlowRows rows, rows_of_flow(db, id));
  FlowView view;
  view.running = rows.last && !is_final(rows.last->status);
  view.revision = rows.revision();
  view.flow = std::move(rows.flow);
  view.last = std::move(rows.last);
  if (!rows.schedule || !view.flow.definition.enabled || !rows.schedule->definition.enabled) return view;
  if (const auto table = schedule::Timetable::of(rows.schedule->definition))
    view.next = table->next_start(now, rows.schedule->id, id);
  return view;
}

Result<Engine::Stamp> stamp_flow(db::Connection& db, Id id) {
  HF_TRY(const FlowRows rows, rows_of_flow(db, id));
  Time changed = rows.flow.changed_at;
  if (rows.last) changed = std::max(changed, rows.last->completed_at.value_or(rows.last->created_at));
  return Engine::Stamp{rows.revision(), changed};
}

Result<ScheduleView> view_schedule(db::Connection& db, Id id, Time now) {
  constexpr std::size_t kShown = 10;
  ScheduleView view;
  HF_TRY(view.schedule, Schedules(db).get(id));
  HF_TRY(view.flows, Flows(db).of_schedule(id));
  view.revision = view.schedule.revision;
  if (!view.schedule.complete) return view;
  const auto table = schedule::Timetable::of(view.schedule.definition);
  if (!table) view.warnings.push_back("it starts nothing: " + table.error().message);
  if (!table || !view.schedule.definition.enabled) return view;
  for (auto at = table->next_open(now); at && view.next.size() < kShown; at = table->next_open(*at))
    view.next.push_back(*at);
  return view;
}

Result<std::vector<SummaryView::Start>> next_starts(db::Connection& db, const Caller& reader, Time now) {
  constexpr int kLookedAt = 100;
  constexpr std::size_t kShown = 10;
  std::vector<SummaryView::Start> starts;
  HF_TRY(const Ownership collection, Collections(db).get(DefinitionKind::flow));
  if (!may_see(reader, collection)) return starts;
  HF_TRY(const auto flows, Schedules(db).next_flows(kLookedAt));
  for (const Id flow : flows) {
    HF_TRY(const FlowView view, view_flow(db, flow, now));
    if (view.next && may_see(reader, view.flow.ownership))
      starts.push_back({"flows/" + view.flow.name, *view.next});
  }
  std::ranges::stable_sort(starts, {}, &SummaryView::Start::at);
  starts.resize(std::min(starts.size(), kShown));
  return starts;
}

Result<PointView> view_point(db::Connection& db, Id id, Time now) {
  PointView view;
  HF_TRY(view.point, Points(db).get(id));
  if (view.point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", view.point.name);
  HF_TRY(const Machine machine, Machines(db).get(view.point.machine_id));
  HF_TRY(const Repository repository, Repositories(db).get(view.point.repository_id));
  view.machine = machine.name;
  view.ownership = machine.ownership;
  view.repository = repository.name;
  if (view.point.parent_point_id) {
    HF_TRY(const Point parent, Points(db).get(*view.point.parent_point_id));
    view.parent = parent.name;
  }
  HF_TRY(view.pins, Pins(db).of_point(id));
  std::erase_if(view.pins, [&](const Pin& pin) { return pin.until && *pin.until <= now; });
  HF_TRY(view.verdicts, Verdicts(db).of_point(id));
  HF_TRY(const auto copies, Copies(db).of_point(id));
  for (const Copy& copy : copies) {
    HF_TRY(std::string name, Repositories(db).name_of(copy.repository_id));
    view.copies.push_back(std::move(name));
  }
  return view;
}

}  // namespace holdfast
