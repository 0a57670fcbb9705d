#include "engine/engine.h"

#include "catalog/base/log.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/retention.h"
#include "catalog/stores/sources.h"
#include "engine/capture/recovery.h"
#include "engine/live_engine.h"
#include "engine/retention/prune.h"
#include "engine/runs/accounts.h"

namespace holdfast {
namespace {

Result<> make_if_missing(Directory& directory, const std::string& name) {
  HF_TRY(const bool there, directory.exists(name));
  return there ? Result<>() : directory.make_directory(name);
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::start(const EngineOptions& options) {
  HF_TRY(const auto state, open_directory(options.state));
  HF_CHECK(make_if_missing(*state, "scratch"));
  HF_TRY(auto catalog, Catalog::open(options.state + "/catalog.sqlite"));
  const Clock& clock = options.clock != nullptr ? *options.clock : system_clock();
  auto engine = std::make_unique<LiveEngine>(std::move(catalog), clock, options.observer,
                                             options.state + "/scratch", options.hooks);
  HF_CHECK(engine->begin_again());
  return engine;
}

LiveEngine::LiveEngine(std::unique_ptr<Catalog> catalog, const Clock& clock, Observer* observer,
                       std::string scratch, std::string hooks)
    : catalog_(std::move(catalog)),
      clock_(clock),
      observer_(*this, observer),
      services_{*catalog_,          clock_,          shelf_, throttles_, readers_, left_behind_,
                std::move(scratch), std::move(hooks)},
      started_at_(clock.now()),
      definitions_(*catalog_, shelf_),
      notices_(services_, {}),
      runner_(services_, observer_, {}, [this](const Execution& ended) { notices_.execution_ended(ended); }),
      sweeper_(services_, runner_, {}),
      prunings_(services_, runner_, definitions_),
      scheduled_starts_(*this),
      scheduler_(*catalog_, clock_, scheduler_bell_, scheduled_starts_, observer_) {}

void LiveEngine::Relay::changed(ObjectKind kind, Id id) {
  if (kind == ObjectKind::execution) engine_.scheduler_bell_.ring();
  if (target_ != nullptr) target_->changed(kind, id);
}

Result<runs::FlowRun> LiveEngine::ScheduledStarts::begin(db::Connection& db, Id flow, const std::string& by) {
  return runs::begin_scheduled_flow(db, engine_.services_, engine_.prunings_, flow, by);
}

void LiveEngine::ScheduledStarts::take_on(runs::FlowRun run) {
  engine_.definitions_.changed();  // a repository that was away may be there again
  engine_.take_on(std::move(run));
}

Result<> LiveEngine::begin_again() {
  HF_TRY(const runs::Interrupted interrupted,
         catalog_->write([&](db::Connection& db) { return runs::end_interrupted(db, clock_.now()); }));
  for (const Execution& execution : interrupted.executions) notices_.execution_ended(execution);
  if (const auto count = interrupted.jobs + interrupted.executions.size(); count > 0)
    log::warning("ended {} executions and jobs that an earlier life left running", count);

  HF_TRY(const auto machines, capture::machines_to_recover(*catalog_));
  for (const Id machine : machines)
    if (const auto recovered = capture::recover(services_, machine); !recovered) {
      log::warning("{}; it is tried again by and by", recovered.error().message);
      left_behind_.add(machine);
    }
  retention::finish_merges(services_);
  HF_CHECK(remember_readers());
  definitions_.changed();  // an earlier life may not have come to it
  HF_CHECK(catalog_->read([&](db::Connection& db) -> Result<> {
    Repositories repositories(db);
    HF_TRY(const auto all, repositories.list());
    for (const Named& one : all) {
      HF_TRY(const Repository repository, repositories.get(one.id));
      runner_.set_limit_of(one.id, static_cast<unsigned>(repository.definition.max_jobs));
    }
    Sources sources(db);
    HF_TRY(const auto hosts, sources.list());
    for (const Named& one : hosts) {
      HF_TRY(const Source source, sources.get(one.id));
      runner_.set_limit_of(one.id, static_cast<unsigned>(source.definition.max_jobs));
    }
    return {};
  }));
  HF_TRY(const SettingsDefinition settings, this->settings());
  runner_.set_limit(static_cast<unsigned>(settings.max_concurrent_jobs));
  scheduler_.start();
  HF_TRY(const auto due, catalog_->read([](db::Connection& db) { return Retention(db).due(); }));
  for (const Id machine : due) prunings_.make_room(machine);
  prunings_.judge_retired();
  return {};
}

void LiveEngine::stop() {
  scheduler_.stop();
  sweeper_.stop();
  runner_.stop();
  notices_.stop();
  definitions_.stop();
}

}  // namespace holdfast
