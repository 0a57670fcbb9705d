// The engine itself. Its questions, its changes and its images stand in a file each.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "engine/capture/throttle.h"
#include "engine/common/audit.h"
#include "engine/engine.h"
#include "engine/image/flat_view.h"
#include "engine/repository/definitions.h"
#include "engine/retention/plan.h"
#include "engine/runs/begin.h"
#include "engine/runs/notices.h"
#include "engine/runs/prunings.h"
#include "engine/runs/runner.h"
#include "engine/runs/sweeper.h"
#include "engine/schedule/scheduler.h"

namespace holdfast {

class LiveEngine final : public Engine {
 public:
  LiveEngine(std::unique_ptr<Catalog> catalog, const Clock& clock, Observer* observer, std::string scratch,
             std::string hooks);
  ~LiveEngine() override { stop(); }  // while all that runs may still speak to has not gone

  // What start() does once the catalog is open.
  Result<> begin_again();
  void stop() override;

  // questions.cpp
  Result<Id> find(ObjectKind kind, Id parent, std::string_view name) override;
  Result<std::vector<Named>> list(ObjectKind kind, Id parent) override;
  Result<Stamp> stamp(ObjectKind kind, Id id) override;
  Result<MachineView> machine(Id id) override;
  Result<DiskView> disk(Id machine, Id disk) override;
  Result<RepositoryView> repository(Id id) override;
  Result<FlowView> flow(Id id) override;
  Result<ExecutionView> execution(Id id) override;
  Result<JobView> job(Id id) override;
  Result<PointView> point(Id id) override;
  Result<PointDisk> point_disk(Id id) override;
  Result<SummaryView> summary(const Caller& reader) override;
  Result<SettingsDefinition> settings() override;
  Result<std::vector<Event>> events_since(Id after, int at_most) override;
  Result<Id> newest_event() override;
  Result<std::vector<Id>> event_parts() override;
  Result<Named> latest(ObjectKind kind, Id parent) override;

  // ownership.cpp
  Result<Ownership> ownership(ObjectKind kind, Id id) override;
  Result<std::string> path(ObjectKind kind, Id id) override;
  Result<> set_ownership(ObjectKind kind, Id id, const Ownership& ownership, const Caller& caller) override;
  void refused(std::string_view event, std::string object, const Error& why, const Caller& caller) override;

  // draining.cpp
  Result<Id> drain(const DrainRequest& request, const Caller& caller) override;
  Result<> resume(const Caller& caller) override;

  // history.cpp
  Result<ChainView> chain(Id id) override;
  Result<std::string> restore_text(Id point) override;
  Result<Named> point_at(Id machine, Time when) override;
  Result<DifferenceView> difference(Id from, Id to, const GaveUp& gave_up) override;
  Result<std::vector<Named>> points_of_execution(Id execution) override;
  Result<std::vector<LogLine>> log(ObjectKind kind, Id id, Id after, int at_most) override;
  Result<std::vector<MachineView>> machines_after(Id after, int at_most) override;
  Result<std::vector<FlowView>> flows_after(Id after, int at_most) override;
  Result<std::vector<PointView>> points_after(Id after, int at_most) override;

  // cbt.cpp
  Result<> reset_cbt(Id machine, const Caller& caller) override;

  // facts.cpp
  Result<> pin(Id point, const PinRequest& request, const Caller& caller) override;
  Result<> unpin(Id point, const Caller& caller) override;
  Result<> give_verdict(Id point, const VerdictRequest& request, const Caller& caller) override;

  // gatherings.cpp
  Result<GroupView> group(Id id) override;
  Result<ScheduleView> schedule(Id id) override;
  Result<std::vector<OccurrenceView>> occurrences(Id schedule, int at_most) override;
  Result<> define(Id id, const GroupDefinition& definition, const Caller& caller) override;
  Result<> define(Id id, const ScheduleDefinition& definition, const Caller& caller) override;
  Result<> add_member(Id group, Id machine, const Caller& caller) override;
  Result<> remove_member(Id group, Id machine, const Caller& caller) override;
  Result<> enable_member(Id group, std::string_view machine, bool enabled, const Caller& caller) override;
  Result<> enable_schedule(Id schedule, bool enabled, const Caller& caller) override;

  // policies.cpp
  Result<PolicyView> policy(Id id) override;
  Result<PlanView> plan(Id machine) override;
  Result<Id> prune(Id machine, const PruneRequest& request, const Caller& caller) override;
  Result<> retire(Id machine, std::chrono::seconds keep, const Caller& caller) override;
  Result<> unretire(Id machine, const Caller& caller) override;
  Result<> define(Id id, const PolicyDefinition& definition, const Caller& caller) override;

  // flows.cpp
  Result<> set_enabled(Id flow, bool enabled, const Caller& caller) override;
  Result<std::vector<Id>> run_matching(std::string_view pattern, const RunRequest& request,
                                       const Caller& caller) override;
  Result<> enable_matching(std::string_view pattern, bool enabled, const Caller& caller) override;
  Result<Id> clone_flow(Id flow, std::string_view name, const Caller& caller) override;

  // changes.cpp
  Result<Id> create(ObjectKind kind, std::string_view name, const Caller& caller) override;
  Result<> remove(ObjectKind kind, Id id, const Caller& caller) override;
  Result<> rename(ObjectKind kind, Id id, std::string_view name, const Caller& caller) override;
  Result<> define(Id id, const MachineDefinition& definition, const Caller& caller) override;
  Result<> define(Id id, const RepositoryDefinition& definition, const Caller& caller) override;
  Result<> define(Id id, const FlowDefinition& definition, const Caller& caller) override;
  Result<> define(const SettingsDefinition& settings, const Caller& caller) override;
  Result<Id> run(Id flow, const RunRequest& request, const Caller& caller) override;
  Result<Id> back_up(Id machine, const BackupRequest& request, const Caller& caller) override;
  Result<Id> import_image(Id repository, const ImportRequest& request, const Caller& caller) override;
  Result<Id> verify(ObjectKind kind, Id object, const VerifyRequest& request, const Caller& caller) override;
  Result<Id> test(ObjectKind kind, Id object, const std::string& name, const Caller& caller) override;
  Result<> cancel_flow(Id flow, const Caller& caller) override;
  Result<> cancel_execution(Id execution, const Caller& caller) override;
  Result<> cancel_job(Id job, const Caller& caller) override;

  // images.cpp
  Result<std::shared_ptr<OpenedImage>> open_image(Id point_disk, ImageForm form,
                                                  const Caller& caller) override;

 private:
  // Hands changes on to whoever watches, or to nobody; the scheduler wants to know of each that may let
  // something start.
  class Relay final : public Observer {
   public:
    Relay(LiveEngine& engine, Observer* target) : engine_(engine), target_(target) {}
    void changed(ObjectKind kind, Id id) override;

   private:
    LiveEngine& engine_;
    Observer* const target_;
  };

  // What is due becomes runs like those that somebody asks for.
  class ScheduledStarts final : public schedule::Starter {
   public:
    explicit ScheduledStarts(LiveEngine& engine) : engine_(engine) {}
    Result<Guard> admit() override { return engine_.runner_.admit(); }
    Result<runs::FlowRun> begin(db::Connection& db, Id flow, const std::string& by) override;
    void take_on(runs::FlowRun run) override;

   private:
    LiveEngine& engine_;
  };

  // A definition has changed: whoever watches is told, and so are the repositories.
  void announce(ObjectKind kind, Id id);
  // What `act(db)` changes of an object, and the event that tells of it, in one transaction; then the
  // announcement. `reason` is looked at when `act` is done.
  template <class Act>
  Result<> change(ObjectKind kind, Id id, std::string_view word, const Caller& caller,
                  const std::string& reason, Act act);
  template <class Act>
  Result<> change_facts(Id point, std::string_view word, const Caller& caller, const std::string& reason,
                        Act act);
  template <class Act>
  Result<> change_member(Id group, Id machine, std::string_view word, const Caller& caller, Act act);
  Result<> remove_point(Id point, const Caller& caller);
  Result<retention::Plan> retention_plan(Id machine);
  // Who has opened an image within the last hour is in the event log: what he read is held, still.
  Result<> remember_readers();
  Result<std::optional<Id>> point_of_image(std::string_view path);
  // Hands what was accepted to the runner: its job.
  Result<Id> take_on(Result<runs::Work> accepted);
  Result<std::vector<Id>> take_on(Result<std::vector<runs::FlowRun>> accepted);  // the executions
  void take_on(runs::FlowRun run);
  // With what runs now laid over what the catalog has.
  void add_progress(ExecutionView& view);
  Result<> cancel_jobs(Id execution, const Caller& caller);
  Result<std::vector<std::string>> warnings_for(db::Connection& db, const Caller& reader);

  friend class PointImage;
  // Where a disk of a point lies: in the point's repository, and with each of its copies.
  struct DiskPlace {
    std::string machine_key;
    Repository repository;
    std::vector<Layer> layers;
    bool checked = true;
  };
  Result<std::vector<DiskPlace>> places_of(const PointDisk& disk);  // its own repository is the first
  // What all who have an image open there share: maps and caches.
  struct Shared {
    Id repository = 0;
    std::shared_ptr<image::Stack> stack;
    std::shared_ptr<image::FlatView> view;            // of those who asked for it
    std::shared_ptr<repository::Readers::Open> open;  // its point is, for as long as this lives
    std::string detour;                               // why it is not read where it should be; "" when it is
  };
  // At the first place where that is possible, but not at these.
  Result<Shared> share(const PointDisk& disk, ImageForm form, const std::set<Id>& but = {});
  Result<Shared> share_at(const DiskPlace& place, const PointDisk& disk, ImageForm form);
  // The sentence of it.
  std::string detour_to(Id repository, const std::string& why);
  // One more image is open for as long as this lives.
  Guard count_open_image();
  // Into the event log; what can't be recorded there goes to the daemon's.
  void tell_of_image(Id point_disk, std::string_view event, EventResult result, const std::string& reason,
                     const Caller& caller);

  const std::unique_ptr<Catalog> catalog_;
  const Clock& clock_;
  Relay observer_;
  repository::Shelf shelf_;
  capture::Throttles throttles_;
  repository::Readers readers_;
  LeftBehind left_behind_;
  Bell scheduler_bell_;
  const capture::Services services_;
  const Time started_at_;
  repository::Definitions definitions_;
  runs::Notices notices_;
  runs::Runner runner_;
  runs::Sweeper sweeper_;
  runs::Prunings prunings_;
  ScheduledStarts scheduled_starts_;
  schedule::Scheduler scheduler_;

  struct WeaklyShared {
    std::weak_ptr<image::Stack> stack;
    std::weak_ptr<image::FlatView> view;  // has the stack
  };
  std::atomic<std::int64_t> open_images_ = 0;
  std::mutex draining_mutex_;  // one drain or resume at a time
  Id drain_job_ = 0;           // the latest, guarded by it

  std::mutex shared_mutex_;
  std::map<std::pair<Id, bool>, WeaklyShared> shared_;  // by layer, and whether reads are checked
};

Result<Ownership> ownership_of(db::Connection& db, ObjectKind kind, Id id);
// The path of an object in sentences and events: "flows/nightly". Of both, id 0 is the collection.
Result<std::string> path_of(db::Connection& db, ObjectKind kind, Id id);

template <class Act>
Result<> LiveEngine::change(ObjectKind kind, Id id, std::string_view word, const Caller& caller,
                            const std::string& reason, Act act) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_CHECK(act(db));
    HF_TRY(std::string path, path_of(db, kind, id));
    Event event = make_event(clock_, word, std::move(path), caller);
    event.reason = reason;
    return record(db, event);
  }));
  announce(kind, id);
  return {};
}

// views.cpp: what the catalog alone answers, inside a transaction.
Result<MachineView> view_machine(db::Connection& db, Id id, Time now);
Result<DiskView> view_disk(db::Connection& db, Id machine, Id disk);
Result<FlowView> view_flow(db::Connection& db, Id id, Time now);
// The same without what has to be worked out: it is asked for each time that anything of it is looked at.
Result<Engine::Stamp> stamp_flow(db::Connection& db, Id id);
Result<ScheduleView> view_schedule(db::Connection& db, Id id, Time now);
Result<PointView> view_point(db::Connection& db, Id id, Time now);
// The next flows that start by their schedules, of those that the reader may see.
Result<std::vector<SummaryView::Start>> next_starts(db::Connection& db, const Caller& reader, Time now);

}  // namespace holdfast
