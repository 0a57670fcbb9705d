// Machines: their disks, their points, what to warn of.
#include "catalog/stores/copies.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/retention.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

// Estimates from the job of the chain's full: a restore, too, reads and writes each byte once.
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
  if (!leftovers.empty() && !view.busy)  // a run's own leftovers are no reason to warn
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
  HF_TRY(const std::int64_t damaged_copies, Copies(db).damaged(id));
  if (damaged_copies > 0)
    view.warnings.push_back(fmt::format("{} of its copies {} damaged, by the last verification",
                                        damaged_copies, damaged_copies == 1 ? "is" : "are"));
  if (view.total.points > 0 && !view.newest) view.warnings.push_back("none of its points is good");
  HF_TRY(const auto retired, Retention(db).retirement(id));
  if (retired) view.retired_until = retired->at + retired->keep;
  HF_TRY(std::string warning, Retention(db).warning(id));
  if (!warning.empty()) view.warnings.push_back("pruning: " + std::move(warning));
  return view;
}

Result<MachineView> Status::machine(Id id) {
  return services_.catalog.read(
      [&](db::Connection& db) { return view_machine(db, id, services_.clock.now()); });
}

}  // namespace holdfast
