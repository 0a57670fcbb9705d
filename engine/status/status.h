// Views: the data behind each status file of the mount, and the questions that return them.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/error.h"
#include "catalog/model/entities.h"
#include "catalog/stores/points.h"
#include "engine/common/observer.h"
#include "engine/common/progress.h"

namespace holdfast {

class Reading;
class ScheduleWarnings;
class Sight;
namespace capture {
struct Services;
}
namespace runs {
class Runner;
}

// The state of an object's views: both values grow with every change that a view shows.
struct Stamp {
  std::int64_t revision = 0;
  Time changed_at{};
};

struct ExecutionView {
  Execution execution;
  std::string flow;  // name of the flow
  std::vector<Named> jobs;
  Progress progress;
};

struct JobView {
  Job job;
  std::string execution;  // "flows/F/executions/E"; "" for a job without one
  std::string machine;
  Progress progress;
  std::optional<WaitReason> waits_for;
};

struct FlowView {
  Flow flow;
  std::optional<Execution> last;  // the newest execution
  std::optional<Time> last_success_at;
  bool running = false;
  std::optional<Time> next;  // next start by the schedule
  std::int64_t revision = 0;
};

struct DiskView {
  Disk disk;
  std::map<std::string, std::string> change_ids;  // change id of the newest point, by repository; "": none
  std::string cbt_reason;                         // why the source reports no changes; "" if it does
};

// Something for a person to look at.
struct Warning {
  enum class Weight { warning, error };
  std::string object{};         // "machines/m"
  std::optional<Time> since{};  // absent: unknown
  std::string reason{};         // a word
  std::string message{};        // a sentence
  std::string fix{};            // a sentence or a command
  Weight weight = Weight::warning;
};

// The share of stored bytes that were read and found right.
struct VerifiedView {
  std::optional<Time> last_at;  // latest verification, or reading of a layer, of anything
  // Bytes of images that were read whole, not longer ago than a policy's verify_every and a day allow, of all
  // bytes of images; absent: there are none.
  std::optional<double> share;
};

struct MachineView {
  Machine machine;
  std::vector<Disk> disks;
  Points::Total total;
  std::optional<Point> newest;
  std::optional<double> restore_seconds;  // estimate for a restore of the newest point; absent: unknown
  std::optional<bool> within_objective;   // absent: the machine has no objective
  bool busy = false;
  std::optional<Time> retired_until;
  VerifiedView verified;                  // copies included
  std::optional<Time> proven_to_boot_at;  // the last boot check that succeeded
  std::vector<Warning> warnings;
  std::int64_t revision = 0;
};

struct RepositoryView {
  Repository repository;
  std::string state;  // "ready", "leased", "incomplete", "detached", "unreachable", "hanging"
  std::optional<std::uint64_t> capacity_bytes, free_bytes;  // absent: it can't be asked
  std::uint64_t used_bytes = 0;
  std::int64_t points = 0;
  std::optional<Time> full_at;  // estimate, by its growth
  VerifiedView verified;
  std::vector<std::string> warnings;
  std::int64_t revision = 0;
};

struct PointView {
  Point point;
  std::string machine;
  std::string repository;
  std::string parent;               // name of the parent point; "" for a full
  std::vector<std::string> copies;  // names of the other repositories that hold it
  std::vector<Pin> pins;            // pins still in force
  std::vector<Verdict> verdicts;
  std::optional<BootCheck> boot_check;
  Ownership ownership;
};

struct ChainView {
  Chain chain;
  std::string machine, repository;
  std::vector<Point> points;  // oldest first, without their disks
  std::vector<Layer> layers;  // oldest first
  std::int64_t revision = 0;
};

// The plan of retention: which points of a machine would go now, and why the others stay.
struct PlanView {
  // One repository's original or copy of a point.
  struct Location {
    std::string repository;
    std::string flow, policy;  // "" for none
    bool good = true;
    std::vector<std::string> reasons;  // reasons to stay; empty: it goes
  };
  struct PlannedPoint : Location {
    std::string name;
    std::vector<Location> copies;
  };
  std::string machine;
  std::optional<Time> retired_until;         // time at which all points of a retired machine go
  std::vector<PlannedPoint> points;          // oldest first
  std::uint64_t bytes_to_free = 0;           // an estimate; the files that go are counted exactly …
  std::uint64_t bytes_to_free_at_least = 0;  // … and are this much of it
  std::string warning;                       // why the last pruning was incomplete; "" if it was not
  std::int64_t revision = 0;                 // grows with every cause of a change except the passing of time
};

struct GroupView {
  Group group;
  std::vector<Member> members;
  bool any_enabled = false;  // counts hidden members, too
  std::int64_t revision = 0;
};

struct ScheduleView {
  Schedule schedule;
  std::vector<Named> flows;  // flows that follow it
  std::vector<Time> next;    // next times outside of blackouts; empty while disabled
  std::vector<Warning> warnings;
  std::int64_t revision = 0;
};

struct PolicyView {
  Policy policy;
  std::int64_t flows = 0;  // number of flows that have it
  std::int64_t revision = 0;
};

// A time of a schedule, with the names of the flow it was for and of the execution it started.
struct OccurrenceView {
  Occurrence occurrence;
  std::string flow;
  std::string execution;  // "" if none was started or kept
};

// A part of a list: what the reader may see of it, and the last of its objects or lines; 0: the list has
// ended.
template <class T>
struct PageOf {
  std::vector<T> seen;
  Id last = 0;
};

// A line of a job's log. `machine` is empty where the log is about one machine only.
struct LogLine {
  Id id = 0;
  Time at{};
  std::string machine;
  std::string text;
};

// Space of several repositories. A repository that can't be asked counts as it was when it last answered.
struct CapacityView {
  std::optional<std::uint64_t> capacity_bytes, free_bytes;  // absent: none has answered yet
  std::uint64_t used_bytes = 0;
};

struct SummaryView {
  std::int64_t machines = 0, repositories = 0, flows = 0, points = 0;
  std::uint64_t bytes_stored = 0;
  std::vector<std::string> running;  // "flows/F/executions/E", or "jobs/J" without a flow
  struct Start {
    std::string flow;  // "flows/F"
    Time at{};
  };
  std::vector<Start> next;  // starts by schedules, the soonest first
  CapacityView capacity;
  VerifiedView verified;
  std::vector<Warning> warnings;
  bool sees_nothing = false;  // the reader may see no object
  bool draining = false;
  std::int64_t readers = 0;  // open images
  Time started_at{};
  std::int64_t revision = 0;
};

// Answers what the reader may see, and nothing else (law 19). Counts are counts of seen objects, except the
// points and bytes of a repository, which are the repository's own. Totals of the daemon name nothing.
//
// Answers from the catalog and from running jobs; no call waits for a repository or a source, except that
// repository() asks its file system. Everything passed to the constructor must outlive it. Any thread may
// call.
class Status {
 public:
  Status(const capture::Services& services, runs::Runner& runner, const Reading& reading);
  ~Status();

  Result<Stamp> stamp(ObjectKind kind, Id id);

  Result<MachineView> machine(Id id, const Caller& reader);
  Result<DiskView> disk(Id machine, Id disk, const Caller& reader);
  Result<RepositoryView> repository(Id id, const Caller& reader);
  Result<FlowView> flow(Id id, const Caller& reader);
  Result<ExecutionView> execution(Id id, const Caller& reader);
  Result<JobView> job(Id id, const Caller& reader);
  Result<PointView> point(Id id, const Caller& reader);
  // The picture of the point's screen from its last boot check, a PNG. ENOENT: there is none.
  Result<std::string> screenshot(Id point);
  Result<bool> has_screenshot(Id point);
  Result<PointDisk> point_disk(Id id);
  Result<ChainView> chain(Id id, const Caller& reader);
  Result<PlanView> plan(Id machine, const Caller& reader);
  // Returns the plan as it would be if all flows of the machine had the policy. EACCES: the reader may not
  // see the machine.
  Result<PlanView> preview(Id policy, Id machine, const Caller& reader);
  Result<GroupView> group(Id id, const Caller& reader);
  Result<ScheduleView> schedule(Id id, const Caller& reader);
  Result<PolicyView> policy(Id id, const Caller& reader);
  // Returns RESTORE.txt: the stock commands that restore this point.
  Result<std::string> restore_text(Id point);
  // Returns the newest times, oldest first.
  Result<std::vector<OccurrenceView>> occurrences(Id schedule, int at_most, const Caller& reader);
  // Returns the lines of an execution or a job after line `after`.
  Result<PageOf<LogLine>> log(ObjectKind kind, Id id, Id after, int at_most, const Caller& reader);

  // Return all objects of a kind by age, a page at a time: the objects after `after`.
  Result<PageOf<MachineView>> machines_after(Id after, int at_most, const Caller& reader);
  Result<PageOf<FlowView>> flows_after(Id after, int at_most, const Caller& reader);
  Result<PageOf<PointView>> points_after(Id after, int at_most, const Caller& reader);

  // Returns totals, running work and warnings of everything that the reader may see.
  Result<SummaryView> summary(const Caller& reader);

  // Returns the space of all repositories that the reader may see.
  Result<CapacityView> capacity(const Caller& reader);

  // Returns all events after `after`, each without names that the reader could not know at its time.
  Result<std::vector<Event>> events_since(Id after, int at_most, const Caller& reader);
  // Returns the parts that the event log is cut into by its size: the event before each part, newest part
  // first.
  Result<std::vector<Id>> event_parts();
  // The newest event's id.
  Result<Id> newest_event();

 private:
  Result<> add_up(ExecutionView& view, bool sees_all);
  Result<CapacityView> capacity_for(db::Connection& db, const Caller& reader);
  Result<std::vector<Warning>> warnings_for(db::Connection& db, Sight& sight);

  const capture::Services& services_;
  runs::Runner& runner_;
  const Reading& reading_;
  const std::unique_ptr<ScheduleWarnings> schedule_warnings_;
  const Time started_at_;
};

}  // namespace holdfast
