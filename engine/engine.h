// The engine's face: all that may be asked of Holdfast, and nothing of how it is shown.
//
// Any thread may call any of these. Questions answer from the catalog (and from what runs now) at
// once; changes are checked, applied and written to the event log in one transaction, or refused with
// nothing changed; work returns as soon as it is accepted and recorded. Who asks is a Caller.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/model/entities.h"
#include "catalog/stores/points.h"
#include "engine/common/observer.h"
#include "engine/common/progress.h"
#include "engine/opened_image.h"
#include "engine/runs/request.h"

namespace holdfast {

struct EngineOptions {
  std::string state;                          // a directory: catalog.sqlite, scratch space, sockets
  const Clock* clock = nullptr;               // null: the machine's
  Observer* observer = nullptr;               // may be null; outlives the engine
  std::string hooks = "/etc/holdfast/hooks";  // a directory: the commands that flows may name
};

struct ExecutionView {
  Execution execution;
  std::string flow;  // its name
  std::vector<Named> jobs;
  Progress progress;
};

struct JobView {
  Job job;
  std::string execution;  // "flows/F/executions/E"; "" when none
  std::string machine;
  Progress progress;
  std::optional<WaitReason> waits_for;
};

struct FlowView {
  Flow flow;
  std::optional<Execution> last;  // the latest one that was started
  bool running = false;
  std::optional<Time> next;  // when its schedule starts it next
  std::int64_t revision = 0;
};

struct DiskView {
  Disk disk;
  std::map<std::string, std::string> change_ids;  // what its newest point has, by repository; "": none
  std::string cbt_reason;                         // why its changes are not told; "": they are
};

struct MachineView {
  Machine machine;
  std::vector<Disk> disks;
  Points::Total total;
  std::optional<Point> newest;
  std::optional<double> restore_seconds;  // that a restore of it may take; absent: nobody knows
  std::optional<bool> within_objective;   // absent: there is none
  bool busy = false;
  std::optional<Time> retired_until;
  std::vector<std::string> warnings;
  std::int64_t revision = 0;
};

struct RepositoryView {
  Repository repository;
  std::string state;  // "ready", "incomplete", "unreachable"
  std::uint64_t capacity_bytes = 0, free_bytes = 0, used_bytes = 0;
  std::int64_t points = 0;
  std::optional<Time> last_verified_at;  // anything of it
  std::vector<std::string> warnings;
  std::int64_t revision = 0;
};

struct PointView {
  Point point;
  std::string machine;
  std::string repository;
  std::string parent;               // its name; "" for a full
  std::vector<std::string> copies;  // names of further repositories that have it
  std::vector<Pin> pins;            // those whose time is not over
  std::vector<Verdict> verdicts;
  Ownership ownership;
};

struct ChainView {
  Chain chain;
  std::string machine, repository;
  std::vector<Point> points;  // in their order, without their disks
  std::vector<Layer> layers;  // in the order of their making
  std::int64_t revision = 0;
};

// What retention would do of a machine's points now.
struct PlanView {
  // A point, or a copy of it, where it lies.
  struct Place {
    std::string repository;
    std::string flow, policy;  // "" where there is none
    bool good = true;
    std::vector<std::string> reasons;  // why it stays; none: it goes
  };
  struct OfPoint : Place {
    std::string name;
    std::vector<Place> copies;
  };
  std::string machine;
  std::optional<Time> retired_until;  // when all of a retired machine's points go
  std::vector<OfPoint> points;        // by their time
  std::string warning;                // why the last pruning could not do all that it should
  std::int64_t revision = 0;          // of what it follows from, but the passing of time
};

// Where the disks of two points of a machine differ, neighbours joined.
struct DifferenceView {
  struct Extent {
    std::uint64_t offset = 0, length = 0;
  };
  struct OfDisk {
    std::string name;
    std::optional<std::uint64_t> from_capacity, to_capacity;  // absent: that point has no such disk
    std::vector<Extent> extents;         // the first of them, where there are more than anybody reads
    std::uint64_t count = 0, bytes = 0;  // of all
  };
  std::string machine, from, to;
  std::vector<OfDisk> disks;
};

struct GroupView {
  Group group;
  std::vector<Member> members;
  std::int64_t revision = 0;
};

struct ScheduleView {
  Schedule schedule;
  std::vector<Named> flows;  // that follow it
  std::vector<Time> next;    // its next times that no blackout covers; none while it is disabled
  std::vector<std::string> warnings;
  std::int64_t revision = 0;
};

struct PolicyView {
  Policy policy;
  std::int64_t flows = 0;  // that have it
  std::int64_t revision = 0;
};

// A time of a schedule, with the names of whom it was for and what came of it.
struct OccurrenceView {
  Occurrence occurrence;
  std::string flow;
  std::string execution;  // "" when none was started, or it is no longer kept
};

// What a job told: "machine" is "" where that goes without saying.
struct LogLine {
  Id id = 0;
  Time at{};
  std::string machine;
  std::string text;
};

struct SummaryView {
  std::int64_t machines = 0, repositories = 0, flows = 0, points = 0;
  std::uint64_t bytes_stored = 0;
  std::vector<std::string> running;  // "flows/F/executions/E", and "jobs/J" where no flow has it run
  struct Start {
    std::string flow;  // "flows/F"
    Time at{};
  };
  std::vector<Start> next;  // the next ones by schedules, the soonest first
  std::vector<std::string> warnings;
  bool draining = false;
  std::int64_t readers = 0;  // images that are open
  Time started_at{};
  std::int64_t revision = 0;
};

class Engine {
 public:
  // Opens the state, ends what an earlier life left running, and sweeps what it left behind.
  static Result<std::unique_ptr<Engine>> start(const EngineOptions& options);
  virtual ~Engine() = default;
  // Running jobs are stopped at a safe place and ended; no new ones start. Called before it goes.
  virtual void stop() = 0;

  // What is there, by name. Points, executions, disks and a point's disks have a parent; others 0.
  virtual Result<Id> find(ObjectKind kind, Id parent, std::string_view name) = 0;  // ENOENT
  virtual Result<std::vector<Named>> list(ObjectKind kind, Id parent) = 0;
  // Id 0: what a collection of users' objects has itself, here and in the two below.
  virtual Result<Ownership> ownership(ObjectKind kind, Id id) = 0;
  // As sentences and events have it: "flows/nightly", "flows".
  virtual Result<std::string> path(ObjectKind kind, Id id) = 0;
  // Grows with every change of what the object's views show.
  struct Stamp {
    std::int64_t revision = 0;
    Time changed_at{};
  };
  virtual Result<Stamp> stamp(ObjectKind kind, Id id) = 0;

  virtual Result<MachineView> machine(Id id) = 0;
  virtual Result<DiskView> disk(Id machine, Id disk) = 0;
  virtual Result<RepositoryView> repository(Id id) = 0;
  virtual Result<FlowView> flow(Id id) = 0;
  virtual Result<ExecutionView> execution(Id id) = 0;
  virtual Result<JobView> job(Id id) = 0;
  virtual Result<PointView> point(Id id) = 0;
  virtual Result<PointDisk> point_disk(Id id) = 0;
  virtual Result<ChainView> chain(Id id) = 0;
  virtual Result<PlanView> plan(Id machine) = 0;
  virtual Result<GroupView> group(Id id) = 0;
  virtual Result<ScheduleView> schedule(Id id) = 0;
  virtual Result<PolicyView> policy(Id id) = 0;
  // The newest ones, the oldest of them first.
  virtual Result<std::vector<OccurrenceView>> occurrences(Id schedule, int at_most) = 0;
  // RESTORE.txt: the stock commands for this very point.
  virtual Result<std::string> restore_text(Id point) = 0;
  // The newest good point of a machine that is not later. ENOENT: there is none.
  virtual Result<Named> point_at(Id machine, Time when) = 0;
  // Reads what the points don't have in common: that can take long, and is given up when `gave_up` says so
  // (EINTR). EINVAL: they are of different machines.
  using GaveUp = std::function<bool()>;
  virtual Result<DifferenceView> difference(Id from, Id to, const GaveUp& gave_up) = 0;
  // What an execution has made, by the names of the machines.
  virtual Result<std::vector<Named>> points_of_execution(Id execution) = 0;
  // Of an execution or a job: those after a line.
  virtual Result<std::vector<LogLine>> log(ObjectKind kind, Id id, Id after, int at_most) = 0;

  // All of a kind in one go, by age, a page at a time: those after an object. An empty page is the end.
  virtual Result<std::vector<MachineView>> machines_after(Id after, int at_most) = 0;
  virtual Result<std::vector<FlowView>> flows_after(Id after, int at_most) = 0;
  virtual Result<std::vector<PointView>> points_after(Id after, int at_most) = 0;

  // Of what the reader may see.
  virtual Result<SummaryView> summary(const Caller& reader) = 0;
  virtual Result<SettingsDefinition> settings() = 0;
  virtual Result<std::vector<Event>> events_since(Id after, int at_most) = 0;
  // The parts that the event log is cut into by its size: after which event each begins, the newest first.
  virtual Result<std::vector<Id>> event_parts() = 0;
  // Grows with whatever happens.
  virtual Result<Id> newest_event() = 0;

  // The latest of a kind under an object: a flow's execution, a machine's point. ENOENT when there is none.
  virtual Result<Named> latest(ObjectKind kind, Id parent) = 0;

  virtual Result<Id> create(ObjectKind kind, std::string_view name, const Caller& caller) = 0;
  // Of a point EBUSY says what holds it (law 12).
  virtual Result<> remove(ObjectKind kind, Id id, const Caller& caller) = 0;
  virtual Result<> rename(ObjectKind kind, Id id, std::string_view name, const Caller& caller) = 0;
  // As the kernel has it: the owner is root's to change; the group and the mode are the owner's too, to
  // groups that he is in. EPERM else.
  virtual Result<> set_ownership(ObjectKind kind, Id id, const Ownership& ownership,
                                 const Caller& caller) = 0;
  virtual Result<> define(Id id, const MachineDefinition& definition, const Caller& caller) = 0;
  virtual Result<> define(Id id, const RepositoryDefinition& definition, const Caller& caller) = 0;
  virtual Result<> define(Id id, const FlowDefinition& definition, const Caller& caller) = 0;
  virtual Result<> define(Id id, const GroupDefinition& definition, const Caller& caller) = 0;
  virtual Result<> define(Id id, const ScheduleDefinition& definition, const Caller& caller) = 0;
  virtual Result<> define(Id id, const PolicyDefinition& definition, const Caller& caller) = 0;
  virtual Result<> define(const SettingsDefinition& settings, const Caller& caller) = 0;
  // Another flow of the same definition.
  virtual Result<Id> clone_flow(Id flow, std::string_view name, const Caller& caller) = 0;

  // EEXIST, ENOENT: the machine is in the group already, or isn't.
  virtual Result<> add_member(Id group, Id machine, const Caller& caller) = 0;
  virtual Result<> remove_member(Id group, Id machine, const Caller& caller) = 0;
  virtual Result<> enable_member(Id group, std::string_view machine, bool enabled, const Caller& caller) = 0;
  virtual Result<> enable_schedule(Id schedule, bool enabled, const Caller& caller) = 0;

  // The next point of the machine in each repository is a full one. EBUSY: a run is under way.
  virtual Result<> reset_cbt(Id machine, const Caller& caller) = 0;

  virtual Result<> pin(Id point, const PinRequest& request, const Caller& caller) = 0;
  virtual Result<> unpin(Id point, const Caller& caller) = 0;  // ENOENT: it is not pinned
  virtual Result<> give_verdict(Id point, const VerdictRequest& request, const Caller& caller) = 0;

  // No more runs of the machine; after that time all its points go. Again: another time.
  virtual Result<> retire(Id machine, std::chrono::seconds keep, const Caller& caller) = 0;
  virtual Result<> unretire(Id machine, const Caller& caller) = 0;  // EINVAL: it isn't

  virtual Result<Id> run(Id flow, const RunRequest& request, const Caller& caller) = 0;  // the execution
  // Of all flows that the caller may change and whose names match the shell's pattern: all are accepted, or
  // none. Disabled ones are not run. ENOENT: there is no such flow.
  virtual Result<std::vector<Id>> run_matching(std::string_view pattern, const RunRequest& request,
                                               const Caller& caller) = 0;
  virtual Result<> enable_matching(std::string_view pattern, bool enabled, const Caller& caller) = 0;
  // The job: a point of the machine, as a flow would make it.
  virtual Result<Id> back_up(Id machine, const BackupRequest& request, const Caller& caller) = 0;
  // The job. Only root may name a file of the host (EPERM).
  virtual Result<Id> import_image(Id repository, const ImportRequest& request, const Caller& caller) = 0;
  // Of a point, a machine or a repository: the job.
  virtual Result<Id> verify(ObjectKind kind, Id object, const VerifyRequest& request,
                            const Caller& caller) = 0;
  // Of a flow or a repository: the job. All that a run needs is looked at, nothing is moved or made.
  virtual Result<Id> test(ObjectKind kind, Id object, const std::string& name, const Caller& caller) = 0;
  // Of a machine, by the policies of the flows that made its points: the job.
  virtual Result<Id> prune(Id machine, const PruneRequest& request, const Caller& caller) = 0;
  virtual Result<> set_enabled(Id flow, bool enabled, const Caller& caller) = 0;
  virtual Result<> cancel_flow(Id flow, const Caller& caller) = 0;
  virtual Result<> cancel_execution(Id execution, const Caller& caller) = 0;
  virtual Result<> cancel_job(Id job, const Caller& caller) = 0;

  // No new work from now on. The job ends when what runs has ended and no image is open any more.
  virtual Result<Id> drain(const DrainRequest& request, const Caller& caller) = 0;
  virtual Result<> resume(const Caller& caller) = 0;  // EINVAL: it takes work already

  // Law 15 knows what was refused, too: `event` ("flow.run"), its object's path, and why.
  virtual void refused(std::string_view event, std::string object, const Error& why,
                       const Caller& caller) = 0;

  // A point's disk, to read. The event log has who opened it.
  virtual Result<std::shared_ptr<OpenedImage>> open_image(Id point_disk, ImageForm form,
                                                          const Caller& caller) = 0;
};

}  // namespace holdfast
