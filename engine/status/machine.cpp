// Machines: their disks, their points, what to warn of.
#include "catalog/base/id_time.h"
#include "catalog/stores/boot_checks.h"
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

std::string some_are_damaged(std::int64_t count, std::string_view what) {
  return fmt::format("{} of its {} {} damaged, by the last verification", count, what,
                     count == 1 ? "is" : "are");
}

}  // namespace

Result<MachineView> view_machine(db::Connection& db, Id id, Time now, Sight& sight) {
  MachineView view;
  HF_TRY(view.machine, Machines(db).get(id));
  HF_TRY(view.disks, Machines(db).disks(id));
  HF_TRY(view.total, Points(db).of_machine(id));
  HF_TRY(view.newest, Points(db).newest_good(id));
  HF_TRY(const auto readings, Readings(db).of_machine(id));
  view.verified = view_verified(readings);
  if (view.newest) {
    HF_TRY(view.restore_seconds, restore_seconds(db, *view.newest));
  }
  view.revision = view.machine.revision;
  HF_TRY(const auto unfinished, Jobs(db).unfinished_of(id));
  view.busy = unfinished.has_value();
  const auto warn = [&](Warning warning) {
    warning.object = "machines/" + view.machine.name;
    view.warnings.push_back(std::move(warning));
  };
  HF_TRY(const auto leftovers, Leftovers(db).of_machine(id));
  if (!leftovers.empty() && !view.busy)  // a run's own leftovers are no reason to warn
    warn({.since = time_of_id(leftovers.front().id),
          .reason = "leftovers",
          .message = fmt::format(
              "an earlier run left {} things at the source; they are swept as soon as it lets them go",
              leftovers.size()),
          .fix = "see that the source and the repository answer; the rest happens by itself"});
  if (const auto& objective = view.machine.definition.objective) {
    view.within_objective = view.newest && now - view.newest->time <= *objective;
    if (!*view.within_objective)
      warn({.since = view.newest ? std::optional(view.newest->time + *objective) : std::nullopt,
            .reason = "objective",
            .message = view.newest
                           ? fmt::format("the newest good point is of {}, older than the objective allows",
                                         iso_time(view.newest->time))
                           : "there is no good point yet, which the objective asks for",
            .fix = "run a flow of the machine; its last execution tells why there is no newer point"});
  }
  HF_TRY(const std::int64_t damaged, Points(db).damaged(id));
  if (damaged > 0)
    warn({.reason = "damaged",
          .message = some_are_damaged(damaged, "points"),
          .fix = "restore from a copy or another point; a full makes a new chain"});
  HF_TRY(const std::int64_t damaged_copies, Copies(db).damaged(id));
  if (damaged_copies > 0)
    warn({.reason = "damaged_copy",
          .message = some_are_damaged(damaged_copies, "copies"),
          .fix = "run the flow that made them: it makes them anew"});
  HF_TRY(const auto boot_times, BootChecks(db).times_of(id));
  view.proven_to_boot_at = boot_times.proven_at;
  HF_TRY(const auto boot_check, BootChecks(db).newest_of(id));
  if (boot_check && boot_check->result == VerdictResult::bad) {
    HF_TRY(const Point point, Points(db).get(boot_check->point_id));
    const std::string path = fmt::format("machines/{}/points/{}", view.machine.name, point.name);
    warn({.since = boot_check->at,
          .reason = "boot_failed",
          .message = fmt::format("its point {} did not boot: {}", point.name, boot_check->reason),
          .fix = fmt::format(
              "look at {0}/screenshot.png; mend the machine, or: echo boot-check > {0}/control", path)});
  }
  if (view.total.points > 0 && !view.newest)
    warn({.reason = "no_good_point",
          .message = "none of its points is good",
          .fix = "run a flow of the machine with type=full",
          .weight = Warning::Weight::error});
  HF_TRY(const auto retired, Retention(db).retirement(id));
  if (retired) view.retired_until = retired->at + retired->keep;
  HF_TRY(const std::string warning, Retention(db).warning(id));
  const std::string told = sight.told(warning, Sentence::is_old);
  if (!warning.empty())
    warn({.reason = "pruning",
          .message = told.empty() ? "pruning could not do everything" : "pruning: " + told,
          .fix = "mend what the message names; the next pruning does the rest"});
  return view;
}

Result<MachineView> Status::machine(Id id, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) {
    Sight sight(db, reader);
    return view_machine(db, id, services_.clock.now(), sight);
  });
}

}  // namespace holdfast
