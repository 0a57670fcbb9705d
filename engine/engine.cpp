#include "engine/engine.h"

#include <atomic>
#include <chrono>

#include "catalog/base/host_path.h"
#include "catalog/base/log.h"
#include "catalog/stores/definition_changes.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "engine/capture/throttle.h"
#include "engine/common/bell.h"
#include "engine/common/known_state.h"
#include "engine/objects/changes.h"
#include "engine/repository/shelf.h"
#include "engine/requests/flow_runs.h"
#include "engine/runs/accounts.h"
#include "engine/runs/sweeper.h"
#include "engine/schedule/scheduler.h"
#include "engine/schedule/verify_turns.h"

namespace holdfast {
// Each part is given parts declared above it only.
struct Engine::Parts {
  // Passes changes on to the observer, if there is one, and wakes the scheduler when a run may have ended.
  class Relay final : public Observer {
   public:
    Relay(Bell& scheduler, Observer* target) : scheduler_(scheduler), target_(target) {}
    void changed(ObjectKind kind, Id id) override {
      if (kind == ObjectKind::execution) scheduler_.ring();
      if (target_ != nullptr) target_->changed(kind, id);
    }

   private:
    Bell& scheduler_;
    Observer* const target_;
  };

  const std::unique_ptr<Catalog> catalog;
  const EngineOptions options;
  const Clock& clock = options.clock != nullptr ? *options.clock : system_clock();
  Bell bell{};  // wakes the scheduler
  Relay observer{bell, options.observer};
  ClockWatch clock_watch{clock};
  repository::Shelf shelf{};
  capture::Throttles throttles{};
  repository::Readers readers{};
  LeftBehind left_behind{};
  const capture::Services services{*catalog,     clock,   clock_watch, shelf,
                                   throttles,    readers, left_behind, options.state + "/scratch",
                                   options.hooks};
  repository::Definitions definitions{*catalog, shelf};
  runs::Notices notices{services, {}};
  runs::Runner runner{
      services, observer, {}, [this](const Execution& ended) { notices.execution_ended(ended); }};
  runs::Sweeper sweeper{services, runner, {}};
  runs::Prunings prunings{services, runner, definitions};
  FlowRuns flow_runs{services, runner, notices, definitions, prunings, observer};
  schedule::VerifyTurns verify_turns{services, runner};
  schedule::Scheduler scheduler{*catalog,  clock,    bell,
                                flow_runs, observer, [this] { return verify_turns.look(); }};
  Changes changes{services, definitions, observer};
  Objects objects{services, runner, prunings, changes, bell};
  Reading reading{services, runner};
  Status status{services, runner, reading};
  Requests requests{services, runner, prunings, flow_runs, changes, reading, bell};

  std::atomic<std::chrono::steady_clock::time_point> stop_begun{};

  Result<> end_earlier_life();
  Result<> set_limits();
  Result<> begin();
};

// Ends jobs that an earlier process left running, and removes its leftovers.
Result<> Engine::Parts::end_earlier_life() {
  HF_TRY(const runs::Interrupted interrupted,
         catalog->write([&](db::Connection& db) { return runs::end_interrupted(db, clock.now()); }));
  for (const Execution& execution : interrupted.executions) notices.execution_ended(execution);
  if (const auto count = interrupted.jobs + interrupted.executions.size(); count > 0)
    log::warning("ended {} executions and jobs that an earlier life left running", count);

  // Sources and repositories may hang, so they are left to the sweeper. No run of these machines begins
  // before.
  HF_TRY(const auto machines, runs::machines_to_sweep(*catalog));
  for (const Id machine : machines) runner.claim(machine);
  sweeper.begin(machines);
  HF_CHECK(reading.remember_recent());
  definitions.changed();  // an earlier process may not have told all
  return {};
}

Result<> Engine::Parts::set_limits() {
  HF_CHECK(catalog->read([&](db::Connection& db) -> Result<> {
    Repositories repositories(db);
    HF_TRY(const auto all, repositories.list());
    for (const Named& one : all) {
      HF_TRY(const Repository repository, repositories.get(one.id));
      runner.set_limit_of(one.id, static_cast<unsigned>(repository.definition.max_jobs));
    }
    return {};
  }));
  HF_TRY(const SettingsDefinition settings, objects.settings());
  runner.set_limit(static_cast<unsigned>(settings.max_concurrent_jobs));
  return {};
}

Result<> Engine::Parts::begin() {
  HF_CHECK(clock_watch.recall(*catalog));
  HF_CHECK(end_earlier_life());
  HF_CHECK(set_limits());
  scheduler.start();
  HF_TRY(const auto due, catalog->read([](db::Connection& db) { return Retention(db).due(); }));
  for (const Id machine : due) prunings.make_room(machine);
  prunings.judge_retired();
  return {};
}

Result<std::unique_ptr<Engine>> Engine::start(const EngineOptions& options) {
  HF_CHECK(look_up(options.state));
  HF_TRY(const auto state, open_directory(options.state));
  HF_CHECK(check_state(options.state));
  HF_CHECK(make_if_missing(*state, "scratch"));
  HF_TRY(auto catalog, Catalog::open(options.state + "/catalog.sqlite"));
  HF_TRY(const std::string key,
         catalog->read([](db::Connection& db) { return DefinitionChanges(db).catalog_key(); }));
  if (const auto noted = note_state(options.state, key); !noted)
    log::warning("nothing beside {} will tell that it had a catalog: {}", options.state,
                 noted.error().message);
  std::unique_ptr<Engine> engine(new Engine(std::unique_ptr<Parts>(new Parts{std::move(catalog), options})));
  HF_CHECK(engine->parts_->begin());
  return engine;
}

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Engine::~Engine() { stop(); }

void Engine::stop() {
  if (parts_->stop_begun.load() == std::chrono::steady_clock::time_point{}) {
    parts_->stop_begun.store(std::chrono::steady_clock::now());
    parts_->shelf.hurry();
  }
  parts_->scheduler.stop();
  parts_->runner.stop();
  parts_->sweeper.stop();  // may wait for a source that hangs, so it comes after all that lets go of sources
  parts_->notices.stop();
  parts_->definitions.stop();
}

bool Engine::repository_hangs() { return parts_->shelf.hangs(); }

bool Engine::is_kept_by_a_repository() {
  constexpr std::chrono::seconds kForJobs{5};
  const auto begun = parts_->stop_begun.load();
  if (begun == std::chrono::steady_clock::time_point{} || !repository_hangs()) return false;
  if (std::chrono::steady_clock::now() - begun >= kForJobs) parts_->runner.write_off_what_hangs();
  if (parts_->runner.is_at_work()) return false;
  const auto held = parts_->catalog->read([](db::Connection& db) { return Leftovers(db).hold_a_source(); });
  return held && !*held;
}

Objects& Engine::objects() { return parts_->objects; }
Status& Engine::status() { return parts_->status; }
Requests& Engine::requests() { return parts_->requests; }
Reading& Engine::reading() { return parts_->reading; }

}  // namespace holdfast
