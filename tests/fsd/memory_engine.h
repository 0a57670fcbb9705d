// An engine without disks and databases: objects, executions, points and events in memory, with the same
// refusals. Executions end when the test says so.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "engine/engine.h"

namespace holdfast::test {

class TestClock final : public Clock {
 public:
  Time now() const override { return now_; }
  void advance(std::chrono::milliseconds by) { now_ += by; }

 private:
  Time now_ = *parse_iso_time("2026-11-20T02:00:00Z");
};

// Any thread may call.
class MemoryEngine final : public Engine {
 public:
  explicit MemoryEngine(const Clock& clock, Observer* observer = nullptr);
  ~MemoryEngine() override;

  // What only a test can do.
  void end(Id execution, RunStatus status);
  Id add_point(Id machine, const std::string& name, const std::string& disk, std::string content);
  void give(ObjectKind kind, Id id, const Ownership& ownership);
  void lose_images() { images_lost_ = true; }  // every read fails
  void make_events(int count);
  void cut_events();  // the newest part of the event log begins after what is there
  bool draining() const { return draining_; }
  int questions() const { return questions_; }

  void stop() override {}
  Result<Id> find(ObjectKind kind, Id parent, std::string_view name) override;
  Result<std::vector<Named>> list(ObjectKind kind, Id parent) override;
  Result<Ownership> ownership(ObjectKind kind, Id id) override;
  Result<std::string> path(ObjectKind kind, Id id) override;
  Result<Stamp> stamp(ObjectKind kind, Id id) override;
  Result<MachineView> machine(Id id) override;
  Result<RepositoryView> repository(Id id) override;
  Result<FlowView> flow(Id id) override;
  Result<ExecutionView> execution(Id id) override;
  Result<JobView> job(Id id) override;
  Result<PointView> point(Id id) override;
  Result<PointDisk> point_disk(Id id) override;
  Result<SummaryView> summary(const Caller& reader) override;
  Result<SettingsDefinition> settings() override { return settings_; }
  Result<std::vector<Event>> events_since(Id after, int at_most) override;
  Result<std::vector<Id>> event_parts() override;
  Result<Named> latest(ObjectKind kind, Id parent) override;

  // memory_history.cpp
  Result<DiskView> disk(Id machine, Id disk) override;
  Result<Id> newest_event() override;
  Result<ChainView> chain(Id id) override;
  Result<std::string> restore_text(Id point) override;
  Result<Named> point_at(Id machine, Time when) override;
  Result<DifferenceView> difference(Id from, Id to, const GaveUp& gave_up) override;
  Result<std::vector<Named>> points_of_execution(Id execution) override;
  Result<std::vector<LogLine>> log(ObjectKind kind, Id id, Id after, int at_most) override;
  Result<std::vector<MachineView>> machines_after(Id after, int at_most) override;
  Result<std::vector<FlowView>> flows_after(Id after, int at_most) override;
  Result<std::vector<PointView>> points_after(Id after, int at_most) override;
  Result<> reset_cbt(Id machine, const Caller& caller) override;
  Result<> pin(Id point, const PinRequest& request, const Caller& caller) override;
  Result<> unpin(Id point, const Caller& caller) override;
  Result<> give_verdict(Id point, const VerdictRequest& request, const Caller& caller) override;

  // memory_gatherings.cpp
  Result<GroupView> group(Id id) override;
  Result<ScheduleView> schedule(Id id) override;
  Result<PolicyView> policy(Id id) override;
  Result<PlanView> plan(Id machine) override;
  Result<Id> prune(Id machine, const PruneRequest& request, const Caller& caller) override;
  Result<> retire(Id machine, std::chrono::seconds keep, const Caller& caller) override;
  Result<> unretire(Id machine, const Caller& caller) override;
  Result<std::vector<OccurrenceView>> occurrences(Id schedule, int at_most) override;
  Result<> define(Id id, const GroupDefinition& definition, const Caller& caller) override;
  Result<> define(Id id, const ScheduleDefinition& definition, const Caller& caller) override;
  Result<> define(Id id, const PolicyDefinition& definition, const Caller& caller) override;
  Result<> add_member(Id group, Id machine, const Caller& caller) override;
  Result<> remove_member(Id group, Id machine, const Caller& caller) override;
  Result<> enable_member(Id group, std::string_view machine, bool enabled, const Caller& caller) override;
  Result<> enable_schedule(Id schedule, bool enabled, const Caller& caller) override;
  Result<std::vector<Id>> run_matching(std::string_view pattern, const RunRequest& request,
                                       const Caller& caller) override;
  Result<> enable_matching(std::string_view pattern, bool enabled, const Caller& caller) override;
  Result<Id> clone_flow(Id flow, std::string_view name, const Caller& caller) override;
  Result<Id> create(ObjectKind kind, std::string_view name, const Caller& caller) override;
  Result<> remove(ObjectKind kind, Id id, const Caller& caller) override;
  Result<> rename(ObjectKind kind, Id id, std::string_view name, const Caller& caller) override;
  Result<> set_ownership(ObjectKind kind, Id id, const Ownership& ownership, const Caller& caller) override;
  Result<> define(Id id, const MachineDefinition& definition, const Caller& caller) override;
  Result<> define(Id id, const RepositoryDefinition& definition, const Caller& caller) override;
  Result<> define(Id id, const FlowDefinition& definition, const Caller& caller) override;
  Result<> define(const SettingsDefinition& settings, const Caller& caller) override;
  Result<Id> run(Id flow, const RunRequest& request, const Caller& caller) override;
  Result<Id> back_up(Id machine, const BackupRequest& request, const Caller& caller) override;
  Result<Id> import_image(Id repository, const ImportRequest& request, const Caller& caller) override;
  Result<Id> verify(ObjectKind kind, Id object, const VerifyRequest& request, const Caller& caller) override;
  Result<Id> test(ObjectKind kind, Id object, const std::string& name, const Caller& caller) override;
  Result<> set_enabled(Id flow, bool enabled, const Caller& caller) override;
  Result<> cancel_flow(Id flow, const Caller& caller) override;
  Result<> cancel_execution(Id execution, const Caller& caller) override;
  Result<> cancel_job(Id job, const Caller& caller) override;
  Result<Id> drain(const DrainRequest& request, const Caller& caller) override;
  Result<> resume(const Caller& caller) override;
  void refused(std::string_view event, std::string object, const Error& why, const Caller& caller) override;
  Result<std::shared_ptr<OpenedImage>> open_image(Id point_disk, ImageForm form,
                                                  const Caller& caller) override;

 private:
  struct Thing;

  Result<Thing*> get(ObjectKind kind, Id id);
  Thing* find_thing(ObjectKind kind, Id parent, std::string_view name);
  std::vector<Thing*> of_kind(ObjectKind kind, Id parent);
  Thing& add(ObjectKind kind, Id parent, std::string_view name);
  void erase(Id id);  // with all below it
  void touch(Thing& thing);
  void record(std::string event, std::string object, const Caller& caller);
  void tell();

  const Clock& clock_;
  Observer* const observer_;
  SettingsDefinition settings_;
  mutable std::recursive_mutex mutex_;
  std::map<Id, std::unique_ptr<Thing>> things_;
  std::vector<Event> events_;
  std::vector<Id> event_cuts_{0};
  std::map<ObjectKind, Ownership> collections_;
  bool draining_ = false;
  std::vector<std::pair<ObjectKind, Id>> untold_;
  bool images_lost_ = false;
  int questions_ = 0;
};

}  // namespace holdfast::test
