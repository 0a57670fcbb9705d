// An agenda over a real catalog and a clock that the test sets. Flows start as rows, and end when the test
// says so.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "catalog/stores/chained_starts.h"
#include "catalog/stores/events.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/occurrences.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "engine/schedule/agenda.h"
#include "tests/lib/new_catalog.h"
#include "tests/lib/set_clock.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::schedule {

using namespace std::chrono_literals;

class Silent final : public Observer {
 public:
  void changed(ObjectKind, Id) override {}
};

// Begins an execution without jobs, which runs until end_runs().
class RowStarter final : public Starter {
 public:
  explicit RowStarter(const Clock& clock) : clock_(clock) {}

  Result<Guard> admit() override {
    if (draining) return fail(EBUSY, "the daemon is draining");
    return Guard{};
  }
  Result<runs::FlowRun> begin(db::Connection& db, Id flow, const std::string& by) override {
    if (!refusal.empty()) return fail(EACCES, "{}", refusal);
    const Id id = new_id();
    HF_CHECK(Executions(db).add({.id = id,
                                 .flow_id = flow,
                                 .name = std::to_string(id),
                                 .type = ExecutionType::scheduled,
                                 .by_name = by,
                                 .created_at = clock_.now()}));
    if (before_commit) before_commit();
    return runs::FlowRun{.execution = id, .works = {}};
  }
  void take_on(runs::FlowRun run) override {
    if (after_commit) after_commit();
    started.push_back(run.execution);
  }

  bool draining = false;
  std::string refusal;
  std::function<void()> before_commit, after_commit;
  std::vector<Id> started;

 private:
  const Clock& clock_;
};

class AgendaTest : public testing::Test {
 protected:
  template <class T>
  static void must(const Result<T>& result) {
    ASSERT_TRUE(result) << result.error().message;
  }
  template <class F>
  auto write(F function) {
    auto result = catalog->write(function);
    EXPECT_TRUE(result) << result.error().message;
    return result;
  }

  // Makes a flow `f` that follows schedule `s`.
  explicit AgendaTest(const ScheduleDefinition& definition = {.cron = "0 2 * * *"}) {
    clock.set(*parse_iso_time("2026-01-01T00:00:00Z"));
    write([&](db::Connection& db) -> Result<> {
      HF_TRY(const auto machine, Machines(db).add("m", {}, clock.now()));
      HF_CHECK(Machines(db).define(machine.id, {.driver = "qmp", .disks = {{"disk-0"}}}, clock.now()));
      HF_TRY(const auto repository, Repositories(db).add("r", {}, clock.now()));
      return Repositories(db).define(repository.id, {.path = "/srv/backup"}, clock.now());
    });
    schedule = define_schedule("s", definition);
    flow = define_flow("f", {.schedule = "s"});
    begin_again();
  }

  Id define_schedule(const std::string& name, const ScheduleDefinition& definition) {
    return *write([&](db::Connection& db) -> Result<Id> {
      HF_TRY(auto found, Schedules(db).find(name));
      if (!found) {
        HF_TRY(const Schedule made, Schedules(db).add(name, {}, clock.now()));
        found = made.id;
      }
      HF_CHECK(Schedules(db).define(*found, definition, clock.now()));
      return *found;
    });
  }
  Id define_flow(const std::string& name, FlowDefinition definition) {
    definition.target = "machines/m", definition.repository = "r";
    return *write([&](db::Connection& db) -> Result<Id> {
      HF_TRY(auto found, Flows(db).find(name));
      if (!found) {
        HF_TRY(const Flow made, Flows(db).add(name, {}, clock.now()));
        found = made.id;
      }
      HF_CHECK(Flows(db).define(*found, definition, clock.now()));
      return *found;
    });
  }

  // Begins another process's life of the agenda, over the same catalog.
  void begin_again() { agenda = std::make_unique<Agenda>(*catalog, clock, starter, observer); }

  std::optional<Time> look() {
    const auto next = agenda->look();
    EXPECT_TRUE(next) << next.error().message;
    return next ? *next : std::nullopt;
  }
  void look_at(std::string_view time) {
    clock.set(*parse_iso_time(time));
    look();
  }
  // Moves the clock from look to look as the agenda asks; each run ends before the next look.
  void live_until(std::string_view time) {
    const Time end = *parse_iso_time(time);
    for (auto next = look(); next && *next <= end; next = look()) {
      clock.set(std::max(clock.now(), *next));
      end_runs();
    }
    clock.set(end);
  }
  void end_runs(RunStatus status = RunStatus::success) {
    write([&](db::Connection& db) -> Result<> {
      HF_TRY(const auto unfinished, Executions(db).unfinished());
      for (Execution execution : unfinished) {
        execution.status = status;
        execution.started_at = execution.completed_at = clock.now();
        HF_CHECK(Executions(db).update(execution));
        HF_CHECK(ChainedStarts(db).add_after(execution.flow_id, status, clock.now()));
      }
      return {};
    });
  }

  // Returns lines like "2026-01-01T02:00:00Z started", "… skipped blackout".
  std::vector<std::string> history(Id of = 0, int at_most = 1000) {
    std::vector<std::string> lines;
    const auto newest = *catalog->read(
        [&](db::Connection& db) { return Occurrences(db).newest(of == 0 ? schedule : of, at_most); });
    for (const Occurrence& one : newest)
      lines.insert(lines.begin(), fmt::format("{} {}{}{}", iso_time(one.planned_at), to_word(one.status),
                                              one.reason ? " " : "", one.reason ? to_word(*one.reason) : ""));
    return lines;
  }
  std::vector<Execution> executions(Id of) {
    return *catalog->read([&](db::Connection& db) -> Result<std::vector<Execution>> {
      std::vector<Execution> all;
      HF_TRY(const auto newest, Executions(db).newest(of, 1000));
      for (const Named& one : newest) {
        HF_TRY(all.emplace_back(), Executions(db).get(one.id));
      }
      return all;
    });
  }
  std::string last_event() {
    return *catalog->read([](db::Connection& db) -> Result<std::string> {
      HF_TRY(const auto events, Events(db).since(0, 10'000, {}));
      return events.empty()
                 ? ""
                 : fmt::format("{} {} {}", events.back().event, events.back().object, events.back().reason);
    });
  }

  test::TemporaryDirectory folder;
  std::unique_ptr<Catalog> catalog = test::open_new_catalog(folder / "catalog.sqlite");
  test::SetClock clock{Time{}};
  RowStarter starter{clock};
  Silent observer;
  Id schedule = 0, flow = 0;
  std::unique_ptr<Agenda> agenda;
};

}  // namespace holdfast::schedule
