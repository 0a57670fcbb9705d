// Accepts and performs dry runs.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ranges>

#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/common/rights.h"
#include "engine/repository/shelf.h"
#include "engine/runs/begin.h"
#include "engine/runs/hooks.h"
#include "engine/sources/drivers.h"

namespace holdfast::runs {
namespace {

// Writes the findings of a dry run into its log: "ok …", "warning …", "error …".
class Findings {
 public:
  Findings(const capture::Services& services, Id job) : services_(services), job_(job) {}

  void ok(const std::string& what) { tell("ok", what, ok_); }
  void warn(const std::string& what) { tell("warning", what, warnings_); }
  void fail(const std::string& what) {
    if (errors_ == 0) first_error_ = what;
    tell("error", what, errors_);
  }
  // Adds a finding: `right` if `looked` succeeded, else its error.
  void add(const Result<>& looked, const std::string& right) {
    looked ? ok(right) : fail(looked.error().message);
  }

  JobEnd end() const {
    const nlohmann::ordered_json counts{{"ok", ok_}, {"warnings", warnings_}, {"errors", errors_}};
    JobEnd end{.message = fmt::format("{} ok, {} warnings, {} errors", ok_, warnings_, errors_),
               .metadata = counts.dump()};
    if (warnings_ > 0) end.status = RunStatus::warning;
    if (errors_ == 0) return end;
    end.status = RunStatus::error;
    end.reason = EndReason::failed;
    end.message += "; the first: " + first_error_;
    return end;
  }

 private:
  void tell(std::string_view word, const std::string& what, int& count) {
    ++count;
    // A finding counts even if it can't be logged.
    (void)services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Job job, Jobs(db).get(job_));
      return Logs(db).add(job, services_.clock.now(), fmt::format("{} {}", word, what));
    });
  }

  const capture::Services& services_;
  const Id job_;
  int ok_ = 0, warnings_ = 0, errors_ = 0;
  std::string first_error_;
};

std::string mib(std::uint64_t bytes) { return fmt::format("{} MiB", divide_up(bytes, kMiB)); }

std::string trial_name() { return fmt::format("trial-{}", new_id()); }

// Checks that the file can be large, keep holes, and give back what is punched out of it.
Result<> look_at_holes(File& file, const std::string& name, Findings& findings) {
  constexpr std::uint64_t kLarge = 4 * kGiB + kMiB;  // more than FAT can
  const auto large = file.truncate(kLarge);
  HF_TRY(const std::uint64_t allocated, file.allocated());
  if (!large)
    findings.warn(fmt::format("{} can't keep a file of {}: {}", name, mib(kLarge), large.error().message));
  else if (allocated > kLarge / 2)
    findings.warn(name + " fills the holes of files with zeros: images take more room");
  else
    findings.ok(name + " keeps large files with holes");
  const Bytes cluster(64 * kKiB, std::byte{1});
  HF_CHECK(file.write_at(0, cluster));
  HF_CHECK(file.sync_data());
  const auto punched = file.punch(0, cluster.size());
  if (!punched && punched.error().code == EOPNOTSUPP)
    findings.warn(name + " can't punch holes: room comes back only when layers are merged or removed");
  else
    findings.add(punched, name + " frees what is punched out of a file");
  return {};
}

// Does with a file of its own what a run and a pruning do with theirs.
void look_at_files(Directory& directory, const std::string& name, Findings& findings) {
  const std::string first = trial_name(), second = trial_name();
  const auto renamed = [&]() -> Result<> {
    HF_CHECK(write_new_file(directory, first, "written to see whether that is possible\n"));
    HF_CHECK(directory.rename(first, second));
    return directory.sync(".");
  }();
  findings.add(renamed, name + " can be written to, and syncs and renames");
  if (renamed) {
    const auto tried = directory.open(second, Access::write).and_then([&](const auto& file) {
      return look_at_holes(*file, name, findings);
    });
    if (!tried) findings.fail(fmt::format("{}: {}", name, tried.error().message));
  }
  for (const std::string& file : {first, second})
    if (const auto gone = directory.remove(file); !gone && gone.error().code != ENOENT)
      findings.fail(fmt::format("{}: {}", name, gone.error().message));
}

// Checks that the repository exists, is ours to write, and has room for `wanted` bytes.
void look_at_repository(const capture::Services& services, const Repository& repository,
                        std::optional<std::uint64_t> wanted, Findings& findings) {
  const std::string name = "repositories/" + repository.name;
  if (!repository.complete) return findings.fail(name + " has no definition yet");
  const auto place = services.shelf.place(repository);
  if (!place) return findings.fail(fmt::format("{}: {}", name, place.error().message));
  const auto there = (*place)->check();
  findings.add(there, fmt::format("{} is there: {}", name, repository.definition.path));
  if (!there) return;
  if (repository.definition.read_only) return findings.fail(name + " is read-only");
  if (const auto may_write = (*place)->may_write(); !may_write) return findings.add(may_write, "");
  findings.ok(fmt::format("{} has the marker {}, and this daemon holds its lease", name, (*place)->marker()));
  look_at_files((*place)->directory(), name, findings);
  const auto room = (*place)->check_room(repository.definition.reserve_percent);
  const auto space = (*place)->directory().space();
  if (!room || !space)
    return findings.fail(fmt::format("{}: {}", name, (room ? space.error() : room.error()).message));
  const std::uint64_t left = repository::room_for_backups(*space, repository.definition.reserve_percent);
  if (!wanted)
    findings.ok(fmt::format("{} has room: {}", name, mib(left)));
  else if (*wanted <= left)
    findings.ok(fmt::format("{} has room: {}, of which a run takes about {}", name, mib(left), mib(*wanted)));
  else
    findings.fail(
        fmt::format("{} has room for {} only; a run takes about {}", name, mib(left), mib(*wanted)));
}

// Checks the repository that points are copied from.
void look_at_origin(const capture::Services& services, const Repository& repository, Findings& findings) {
  const auto place = services.shelf.place(repository);
  findings.add(place ? (*place)->check() : Result<>(tl::make_unexpected(place.error())),
               fmt::format("repositories/{} is there: {}", repository.name, repository.definition.path));
}

struct TriedMachine {
  Machine machine;
  std::optional<Point> newest;  // the newest point in the flow's repository
};

// Checks that the source answers, has all disks, and still has what the next increment rests on.
void look_at_source(const TriedMachine& tried, Findings& findings) {
  const std::string name = "machines/" + tried.machine.name;
  if (!tried.machine.complete) return findings.fail(name + " has no definition yet");
  const MachineDefinition& definition = tried.machine.definition;
  const auto found = source::driver_for(definition.driver).and_then([&](source::Driver* driver) {
    return driver->discover(definition);
  });
  if (!found) return findings.fail(fmt::format("{}: {}", name, found.error().message));
  findings.ok(name + ": its source answers");
  for (const DiskDefinition& disk : definition.disks) {
    const auto it = std::ranges::find(*found, disk.name, &source::Driver::Discovered::name);
    const std::string label = fmt::format("{}: disk {}", name, disk.name);
    if (it == found->end() || it->capacity == 0) {
      findings.fail(it == found->end() ? label + " is not there" : fmt::format("{}: {}", label, it->why_not));
      continue;
    }
    findings.ok(fmt::format("{}: {}", label, mib(it->capacity)));
    if (!it->tracks_changes) {
      findings.ok(fmt::format("{}: {}", label, it->why_not));
      continue;
    }
    if (!it->why_not.empty()) findings.warn(fmt::format("{}: {}", label, it->why_not));
    const auto before = tried.newest ? std::ranges::find(tried.newest->disks, disk.name, &PointDisk::name)
                                     : decltype(tried.newest->disks.begin()){};
    if (!tried.newest || before == tried.newest->disks.end() || before->change_id.empty())
      findings.ok(label + ": the next run reads it whole, as there is nothing to rest on");
    else if (std::ranges::find(it->change_ids, before->change_id) != it->change_ids.end())
      findings.ok(fmt::format("{}: the bitmap of point {} is usable", label, tried.newest->name));
    else
      findings.warn(
          fmt::format("{}: the bitmap of point {} is gone or not usable: the next run reads it whole", label,
                      tried.newest->name));
  }
}

Result<JobEnd> try_repository(const capture::Services& services, Id id, Id job) {
  HF_TRY(const Repository repository,
         services.catalog.read([&](db::Connection& db) { return Repositories(db).get(id); }));
  Findings findings(services, job);
  look_at_repository(services, repository, std::nullopt, findings);
  return findings.end();
}

struct FlowFacts {
  Flow flow;
  std::optional<Repository> repository, from;
  std::vector<TriedMachine> machines_tried;
  Result<> rights;
};

Result<FlowFacts> facts_of(db::Connection& db, Id id) {
  FlowFacts facts;
  HF_TRY(facts.flow, Flows(db).get(id));
  facts.rights = check_owner_rights(db, facts.flow);
  if (facts.flow.repository_id) {
    HF_TRY(facts.repository, Repositories(db).get(*facts.flow.repository_id));
  }
  if (facts.flow.from_repository_id) {
    HF_TRY(facts.from, Repositories(db).get(*facts.flow.from_repository_id));
  }
  std::vector<Id> machines;
  if (facts.flow.machine_id) machines.push_back(*facts.flow.machine_id);
  if (facts.flow.group_id) {
    HF_TRY(const auto members, Groups(db).members(*facts.flow.group_id));
    for (const Member& member : members)
      if (member.enabled) machines.push_back(member.machine_id);
  }
  for (const Id machine : machines) {
    TriedMachine& tried = facts.machines_tried.emplace_back();
    HF_TRY(tried.machine, Machines(db).get(machine));
    if (!facts.repository) continue;
    HF_TRY(tried.newest, Points(db).newest(machine, facts.repository->id));
  }
  return facts;
}

// Sums what the machines' last points took; nullopt if a machine has no point.
std::optional<std::uint64_t> estimate_of(const FlowFacts& facts) {
  std::uint64_t bytes = 0;
  for (const TriedMachine& tried : facts.machines_tried) {
    if (!tried.newest) return std::nullopt;
    bytes += tried.newest->bytes_stored;
  }
  return bytes;
}

void look_at_schedule(const NextStarts& next, Findings& findings) {
  constexpr std::size_t kShown = 3;
  if (next.schedule.empty()) return findings.ok("no schedule starts it");
  if (next.times.empty()) return findings.warn(fmt::format("schedules/{} starts nothing", next.schedule));
  std::vector<std::string> times;
  for (const Time time : next.times | std::views::take(kShown)) times.push_back(iso_time(time));
  findings.ok(fmt::format("schedules/{} starts it next at {}", next.schedule, fmt::join(times, ", ")));
}

Result<JobEnd> try_flow(const capture::Services& services, Id id, Id job, const NextStarts& next,
                        const source::Cancel& cancel) {
  HF_TRY(const FlowFacts facts, services.catalog.read([&](db::Connection& db) { return facts_of(db, id); }));
  Findings findings(services, job);
  const FlowDefinition& definition = facts.flow.definition;
  if (!facts.flow.complete || !facts.repository) {
    findings.fail("flows/" + facts.flow.name + " has no definition yet");
    return findings.end();
  }
  if (!definition.enabled) findings.warn("flows/" + facts.flow.name + " is disabled");
  findings.add(facts.rights, "its owner may write to what it names");
  if (facts.machines_tried.empty()) findings.warn(definition.target + " has no enabled machine");
  if (facts.from) {
    look_at_origin(services, *facts.from, findings);
    look_at_repository(services, *facts.repository, std::nullopt, findings);
  } else {
    for (const TriedMachine& tried : facts.machines_tried) {
      if (cancel.requested()) return fail(ECANCELED, "cancelled");
      look_at_source(tried, findings);
    }
    look_at_repository(services, *facts.repository, estimate_of(facts), findings);
  }
  look_at_schedule(next, findings);
  std::vector<std::string> commands = definition.hooks;
  if (!definition.only_if.empty()) commands.insert(commands.begin(), definition.only_if);
  for (const std::string& command : commands) {
    const auto opened = open_hook(services.hooks, command);
    opened ? findings.ok(fmt::format("command '{}' exists and belongs to root", command))
           : findings.fail(opened.error().message);
  }
  return findings.end();
}

}  // namespace

Result<Work> begin_trial(const capture::Services& services, ObjectKind kind, Id object,
                         const std::string& name, NextStarts next, const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    const bool of_flow = kind == ObjectKind::flow;
    Job job = new_job(JobType::test, name, services.clock.now());
    job.operation = of_flow ? "flow" : "repository";
    if (of_flow) {
      HF_TRY(const std::string flow, Flows(db).name_of(object));
      job.owner = "flows/" + flow;
      job.flow_id = object;
    } else {
      HF_TRY(const std::string repository, Repositories(db).name_of(object));
      job.owner = "repositories/" + repository;
      job.repository_id = object;
    }
    HF_CHECK(Jobs(db).add(job));
    Event event =
        make_event(services.clock.now(), of_flow ? "flow.test" : "repository.test", job.owner, caller);
    event.job = job.name;
    HF_CHECK(record(db, event));

    Work work{.job = job.id, .name = "jobs/" + job.name};
    work.perform = [&services, of_flow, object, next = std::move(next), id = job.id](
                       ProgressMeter&, const source::Cancel& cancel) -> Result<JobEnd> {
      return of_flow ? try_flow(services, object, id, next, cancel) : try_repository(services, object, id);
    };
    return work;
  });
}

}  // namespace holdfast::runs
