// Warnings of the whole: what a person should look at, of what one reader may see.
#include <algorithm>
#include <utility>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/recovered.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "engine/common/services.h"
#include "engine/objects/kinds.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/status/growth.h"
#include "engine/status/schedule_warnings.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

constexpr int kLookedAt = 1000;  // objects of a kind

bool ended_badly(const Execution& execution) {
  return execution.status == RunStatus::error || execution.status == RunStatus::warning;
}

Warning of_last_run(const Flow& flow, const Execution& last) {
  return {.object = "flows/" + flow.name,
          .since = last.completed_at,
          .reason = std::string(last.reason ? to_word(*last.reason) : to_word(last.status)),
          .message = fmt::format("its last run, {}, ended with {}{}{}", last.name, to_word(last.status),
                                 last.message.empty() ? "" : ": ", last.message),
          .fix = fmt::format("cat flows/{}/executions/{}/log", flow.name, last.name),
          .weight = last.status == RunStatus::error ? Warning::Weight::error : Warning::Weight::warning};
}

// Collects the warnings of one reader, kind by kind.
class Warnings {
 public:
  Warnings(db::Connection& db, Sight& sight) : db_(db), sight_(sight) {}

  // Uses the last known state of each repository, because one that hangs must not block the summary.
  Result<> add_repositories(const repository::Shelf& shelf) {
    HF_TRY(const auto all, Repositories(db_).list());
    std::vector<Id> in_trouble;
    for (const Named& named : all)
      if (shelf.trouble(named.id)) in_trouble.push_back(named.id);
    return each(ObjectKind::repository, in_trouble, [&](Id id, const std::string& path) -> Result<> {
      const auto trouble = shelf.trouble(id);
      const bool was_detached = trouble && trouble->code == repository::Shelf::kDetached;
      if (trouble)
        add({.object = path,
             .since = trouble->since,
             .reason = state_of(trouble->code),
             .message = trouble->message,
             .fix = was_detached ? fmt::format("echo attach > {}/control", path)
                                 : "mount it again; its status.json then says 'ready'",
             .weight = was_detached ? Warning::Weight::warning : Warning::Weight::error});
      return {};
    });
  }

  // Says who kept this daemon from writing there, or what, when each repository was last looked at.
  Result<> add_other_writers(const repository::Shelf& shelf) {
    HF_TRY(const auto all, Repositories(db_).list());
    std::vector<Id> refused;
    for (const Named& named : all)
      if (!shelf.trouble(named.id) && shelf.refusal(named.id)) refused.push_back(named.id);
    return each(ObjectKind::repository, refused, [&](Id id, const std::string& path) -> Result<> {
      if (const auto refusal = shelf.refusal(id))
        add({.object = path,
             .since = refusal->since,
             .reason = refusal->code == EBUSY ? kLeased : "not_writable",
             .message = refusal->message,
             .fix =
                 refusal->code == EBUSY
                     ? fmt::format("end that daemon; or, if it writes no more: echo 'take-over why=TEXT' > "
                                   "{}/control",
                                   path)
                     : "make it writable, or write \"read_only\": true into its config.json",
             .weight = Warning::Weight::error});
      return {};
    });
  }

  // Uses the space when each repository last answered.
  Result<> add_room(const repository::Shelf& shelf, Time now) {
    HF_TRY(const auto all, Repositories(db_).list());
    std::vector<Id> with_space;
    for (const Named& named : all)
      if (!shelf.trouble(named.id) && shelf.space(named.id)) with_space.push_back(named.id);
    return each(ObjectKind::repository, with_space, [&](Id id, const std::string&) -> Result<> {
      HF_TRY(const Repository repository, Repositories(db_).get(id));
      HF_TRY(const auto growth, RepositorySizes(db_).growth(id, now));
      const auto space = shelf.space(id);
      if (!space) return {};
      const auto room = repository::room_for_backups(space->bytes, repository.definition.reserve_percent);
      if (auto warning = warning_of_room(repository, room, full_at(growth, room, now), now))
        add(std::move(*warning));
      return {};
    });
  }

  // Names what lay aside when each repository was last looked at.
  Result<> add_asides(const repository::Shelf& shelf) {
    HF_TRY(const auto all, Repositories(db_).list());
    std::vector<Id> with_asides;
    for (const Named& named : all)
      if (!shelf.asides(named.id).empty()) with_asides.push_back(named.id);
    return each(ObjectKind::repository, with_asides, [&](Id id, const std::string& path) -> Result<> {
      HF_TRY(const Repository repository, Repositories(db_).get(id));
      for (const repository::Aside& aside : shelf.asides(id)) {
        const repository::Aside shown = repository::seen(aside, sight_.covers_everything());
        add({.object = path,
             .since = aside.since,
             .reason = "aside",
             .message = repository::sentence_of(shown),
             .fix =
                 fmt::format("once nobody needs it: echo gc do=delete > {}/control; or: rm -r '{}/{}', then "
                             "cat {}/status.json",
                             path, repository.definition.path, shown.path, path)});
      }
      return {};
    });
  }

  void add_clock(ClockWatch& watch) {
    if (const auto doubt = watch.doubt())
      add({.object = "/",
           .reason = "clock",
           .message = *doubt,
           .fix = "set the clock; or, if it is right: echo resume > control"});
  }

  Result<> add_recovered() {
    HF_TRY(const auto at, recovered_at(db_));
    if (at)
      add({.object = "/",
           .since = *at,
           .reason = "recovered",
           .message = "the catalog was recovered, and nothing starts by itself, because the daemon that made "
                      "these flows may still run them",
           .fix = "make sure that it does not; then: echo resume > control"});
    return {};
  }

  Result<> add_older_catalog() {
    HF_TRY(const auto repositories, Repositories(db_).with_missed_commits());
    return each(ObjectKind::repository, repositories, [&](Id id, const std::string& path) -> Result<> {
      HF_TRY(const Repository repository, Repositories(db_).get(id));
      add({.object = path,
           .reason = "older_catalog",
           .message = repository::older_catalog_sentence(repository),
           .fix = fmt::format("echo rescan > {}/control; or put the newest catalog.sqlite into the state "
                              "directory of the stopped daemon",
                              path),
           .weight = Warning::Weight::error});
      return {};
    });
  }

  Result<> add_machines(Time now) {
    HF_TRY(const auto machines, Machines(db_).to_look_at(kLookedAt));
    return each(ObjectKind::machine, machines, [&](Id id, const std::string&) -> Result<> {
      HF_TRY(MachineView view, view_machine(db_, id, now, sight_));
      std::ranges::move(view.warnings, std::back_inserter(warnings_));
      return {};
    });
  }

  Result<> add_flows() {
    HF_TRY(const auto flows, Flows(db_).to_look_at(kLookedAt));
    return each(ObjectKind::flow, flows, [&](Id id, const std::string& path) -> Result<> {
      HF_TRY(const Flow flow, Flows(db_).get(id));
      HF_TRY(const auto last, Executions(db_).last_ended(id));
      if (last && ended_badly(*last)) {
        Execution seen = *last;
        HF_TRY(seen.message, message_of(db_, *last, sight_));
        add(of_last_run(flow, seen));
      }
      if (!flow.schedule_id && !flow.after_flow_id)
        add({.object = path,
             .reason = "nothing_starts_it",
             .message = "it is enabled, but nothing starts it",
             .fix = fmt::format("echo 'set schedule=NAME' > {}/control", path)});
      return {};
    });
  }

  Result<> add_schedules(ScheduleWarnings& of_each, Time now) {
    HF_TRY(const auto schedules, Schedules(db_).after(0, kLookedAt));
    return each(ObjectKind::schedule, schedules, [&](Id id, const std::string&) -> Result<> {
      HF_TRY(const Schedule schedule, Schedules(db_).get(id));
      if (schedule.complete) std::ranges::move(of_each.of(schedule, now), std::back_inserter(warnings_));
      return {};
    });
  }

  Result<> add_without_flow() {
    HF_TRY(const auto machines, Machines(db_).without_flow(kLookedAt));
    HF_CHECK(each(ObjectKind::machine, machines, [&](Id, const std::string& path) -> Result<> {
      add({.object = path,
           .reason = "no_flow",
           .message = "no enabled flow backs it up",
           .fix = fmt::format("make a flow with \"target\": \"{}\"", path)});
      return {};
    }));
    HF_TRY(const auto schedules, Schedules(db_).without_flow(kLookedAt));
    return each(ObjectKind::schedule, schedules, [&](Id id, const std::string& path) -> Result<> {
      HF_TRY(const std::string name, Schedules(db_).name_of(id));
      add({.object = path,
           .reason = "no_flow",
           .message = "no flow follows it",
           .fix = fmt::format("echo 'set schedule={}' > flows/NAME/control", name)});
      return {};
    });
  }

  std::vector<Warning> take() { return std::move(warnings_); }

 private:
  void add(Warning warning) { warnings_.push_back(std::move(warning)); }

  // Calls `visit` with the id and the path of each object that the reader may see.
  template <class Visit>
  Result<> each(ObjectKind kind, const std::vector<Id>& ids, Visit visit) {
    for (const Id id : ids) {
      if (!sight_.covers(kind, id)) continue;
      HF_TRY(const std::string path, path_of(db_, kind, id));
      HF_CHECK(visit(id, path));
    }
    return {};
  }

  db::Connection& db_;
  Sight& sight_;
  std::vector<Warning> warnings_;
};

}  // namespace

Result<std::vector<Warning>> Status::warnings_for(db::Connection& db, Sight& sight) {
  Warnings warnings(db, sight);
  HF_CHECK(warnings.add_repositories(services_.shelf));
  HF_CHECK(warnings.add_other_writers(services_.shelf));
  HF_CHECK(warnings.add_room(services_.shelf, services_.clock.now()));
  HF_CHECK(warnings.add_recovered());
  HF_CHECK(warnings.add_older_catalog());
  HF_CHECK(warnings.add_asides(services_.shelf));
  warnings.add_clock(services_.clock_watch);
  HF_CHECK(warnings.add_machines(services_.clock.now()));
  HF_CHECK(warnings.add_flows());
  HF_CHECK(warnings.add_schedules(*schedule_warnings_, services_.clock.now()));
  HF_CHECK(warnings.add_without_flow());
  return warnings.take();
}

}  // namespace holdfast
