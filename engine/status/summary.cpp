// The summary: the whole, of what one reader may see.
#include <algorithm>

#include "catalog/model/rights.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/events.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/schedules.h"
#include "catalog/stores/totals.h"
#include "engine/common/services.h"
#include "engine/objects/kinds.h"
#include "engine/reading/reading.h"
#include "engine/runs/runner.h"
#include "engine/status/schedule_warnings.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

// Jobs outside of executions that `running` shows, the newest.
constexpr std::size_t kMostJobs = 1000;

Result<> add_jobs(db::Connection& db, Sight& sight, std::vector<std::string>& running) {
  HF_TRY(const auto jobs, Jobs(db).unfinished_alone());
  std::vector<std::string> shown;
  for (const Jobs::Active& job : jobs) {
    if (shown.size() == kMostJobs) break;
    if (sight.covers(ObjectKind::job, job.owner) && sight.covers(ObjectKind::job, job.id))
      shown.push_back("jobs/" + job.name);
  }
  running.insert(running.end(), shown.rbegin(), shown.rend());
  return {};
}

Result<Totals> totals_for(db::Connection& db, const Caller& reader) {
  if (reader.uid == 0) return read_totals(db);
  HF_TRY(const Ownership machines, Collections(db).get(DefinitionKind::machine));
  HF_TRY(const Ownership repositories, Collections(db).get(DefinitionKind::repository));
  HF_TRY(const Ownership flows, Collections(db).get(DefinitionKind::flow));
  Totals his;
  HF_TRY(const auto all, read_owned_totals(db));
  for (const OwnedTotals& owned : all) {
    if (!may_see(reader, owned.ownership)) continue;
    if (may_see(reader, machines)) {
      his.machines += owned.totals.machines;
      his.points += owned.totals.points;
      his.bytes_stored += owned.totals.bytes_stored;
    }
    if (may_see(reader, repositories)) his.repositories += owned.totals.repositories;
    if (may_see(reader, flows)) his.flows += owned.totals.flows;
  }
  return his;
}

Result<Readings::Total> readings_for(db::Connection& db, const Caller& reader) {
  if (reader.uid == 0) return Readings(db).of_all();
  Readings::Total his;
  HF_TRY(const Ownership machines, Collections(db).get(DefinitionKind::machine));
  if (!may_see(reader, machines)) return his;
  HF_TRY(const auto all, Readings(db).by_owner());
  for (const auto& [ownership, total] : all) {
    if (!may_see(reader, ownership)) continue;
    his.layer_bytes += total.layer_bytes;
    his.sound_bytes += total.sound_bytes;
    his.last_verified_at = std::max(his.last_verified_at, total.last_verified_at);
  }
  return his;
}

// Returns the next starts by schedules, of flows that the reader may see.
Result<std::vector<SummaryView::Start>> next_starts(db::Connection& db, Sight& sight, Time now) {
  constexpr int kLookedAt = 100;
  constexpr std::size_t kShown = 10;
  std::vector<SummaryView::Start> starts;
  HF_TRY(const auto flows, Schedules(db).next_flows(kLookedAt));
  for (const Id flow : flows) {
    if (!sight.covers(ObjectKind::flow, flow)) continue;
    HF_TRY(const FlowView view, view_flow(db, flow, now, sight));
    if (view.next) starts.push_back({"flows/" + view.flow.name, *view.next});
  }
  std::ranges::stable_sort(starts, {}, &SummaryView::Start::at);
  starts.resize(std::min(starts.size(), kShown));
  return starts;
}

}  // namespace

Status::Status(const capture::Services& services, runs::Runner& runner, const Reading& reading)
    : services_(services),
      runner_(runner),
      reading_(reading),
      schedule_warnings_(std::make_unique<ScheduleWarnings>()),
      started_at_(services.clock.now()) {}

Status::~Status() = default;

Result<SummaryView> Status::summary(const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) -> Result<SummaryView> {
    SummaryView view;
    Sight sight(db, reader);
    view.draining = runner_.is_closed();
    view.readers = reading_.open_images();
    HF_TRY(const Totals totals, totals_for(db, reader));
    view.machines = totals.machines;
    view.repositories = totals.repositories;
    view.flows = totals.flows;
    view.points = totals.points;
    view.bytes_stored = totals.bytes_stored;
    view.sees_nothing = reader.uid != 0 && totals.machines + totals.repositories + totals.flows == 0;
    HF_TRY(const auto running, Executions(db).unfinished());
    for (const Execution& execution : running) {
      if (!sight.covers(ObjectKind::execution, execution.id)) continue;
      HF_TRY(std::string path, path_of(db, ObjectKind::execution, execution.id));
      view.running.push_back(std::move(path));
    }
    HF_CHECK(add_jobs(db, sight, view.running));
    HF_TRY(view.next, next_starts(db, sight, services_.clock.now()));
    HF_TRY(view.capacity, capacity_for(db, reader));
    HF_TRY(const auto readings, readings_for(db, reader));
    view.verified = view_verified(readings);
    HF_TRY(view.warnings, warnings_for(db, sight));
    view.started_at = started_at_;
    HF_TRY(view.revision, Events(db).newest());
    return view;
  });
}

}  // namespace holdfast
