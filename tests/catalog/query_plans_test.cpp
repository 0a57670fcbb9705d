// Growth: no query reads a table that grows with the years from its one end to the other. Every statement
// that the stores prepare is shown to SQLite's planner.
#include <set>
#include <sstream>

#include "catalog/db/migrations.h"
#include "catalog/stores/boot_checks.h"
#include "catalog/stores/collections.h"
#include "catalog/stores/readings.h"
#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

class QueryPlans : public testing::Test {
 protected:
  QueryPlans() {
    const auto known = db::embedded_migrations();
    must(db::migrate(*connection, known, static_cast<int>(known.size())));
  }

  std::vector<std::string> plan_of(const std::string& sql) {
    // Parameters may stay unbound here, as the shell leaves them.
    std::string text = "EXPLAIN QUERY PLAN " + sql;
    auto rows = must(connection->prepare(text));
    for (std::size_t at = text.find(':'); at != std::string::npos; at = text.find(':', at + 1)) {
      const auto end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_0123456789", at + 1);
      rows.bind_null(text.substr(at, end - at).c_str());
    }
    std::vector<std::string> plan;
    while (must(rows.step())) plan.push_back(rows.text(3));
    return plan;
  }

  // The step of its plan that reads a growing table without a bound; "" when nothing does.
  std::string unbounded(const std::string& sql) {
    const std::set<std::string> growing = {
        "executions",           "jobs",     "points",     "point_disks", "layers",   "events",
        "schedule_occurrences", "copies",   "copy_disks", "pins",        "verdicts", "boot_checks",
        "definition_changes",   "log_lines"};
    // Partial indexes of what is active now: a handful.
    const std::set<std::string> small = {
        "executions_one_active_a_flow", "jobs_active",    "points_one_writing_a_place",
        "copies_being_written",         "copies_retired", "copies_untold",
        "schedule_occurrences_planned", "layers_merging", "points_retired"};
    const auto plan = plan_of(sql);
    const bool sorts = std::ranges::any_of(
        plan, [](const std::string& step) { return step.find("TEMP B-TREE") != std::string::npos; });
    const bool filters = sql.find("WHERE") != std::string::npos;
    const bool stops_early = sql.find("LIMIT") != std::string::npos && !sorts && !filters;
    for (const std::string& step : plan) {
      std::istringstream words(step);  // SCAN table [USING [COVERING] INDEX index]
      std::string verb, table, last;
      words >> verb >> table;
      while (words >> last) continue;
      if (verb == "SCAN" && growing.contains(table) && !small.contains(last) && !stops_early) return step;
    }
    return "";
  }

  TemporaryDirectory directory;
  std::unique_ptr<db::Connection> connection =
      must(db::Connection::open(directory / "db", db::Mode::read_write));
};

// Uses groups, schedules, policies, settings and totals.
void use_the_rest(db::Connection& db, Id machine, Id flow) {
  const auto ignore = [](const auto&) {};
  const auto use = [&]<class Store, class Definition>(Definition definition) {
    Store store(db);
    const Id id = must(store.add("x", {}, at(0))).id;
    must(store.define(id, definition, at(0)));
    must(store.get(id));
    must(store.rename(id, "y", at(0)));
    must(store.set_ownership(id, {}, at(0)));
    ignore(store.find("y"));
    ignore(store.list());
    must(store.remove(id));
  };
  use.operator()<Groups>(GroupDefinition{});
  use.operator()<Schedules>(ScheduleDefinition{.cron = "* * * * *"});
  use.operator()<Policies>(PolicyDefinition{});

  Groups groups(db);
  const Id group = must(groups.add("g", {}, at(0))).id;
  must(groups.add_member(group, machine, at(0)));
  must(groups.enable_member(group, machine, false, at(0)));
  ignore(groups.members(group));
  must(groups.remove_member(group, machine, at(0)));

  Schedules schedules(db);
  const Id schedule = must(schedules.add("h", {}, at(0))).id;
  must(schedules.set_next(schedule, at(0)));
  ignore(Policies(db).users(1));
  ignore(schedules.due(at(0), 10));
  ignore(schedules.unplanned());
  ignore(schedules.next_due());
  ignore(schedules.planned_after(at(0)));
  ignore(schedules.next_flows(10));
  ignore(Flows(db).of_schedule(schedule));
  ignore(Flows(db).of_machine(1));
  Occurrences occurrences(db);
  Occurrence occurrence{new_id(), schedule, flow, at(0)};
  must(occurrences.add(occurrence));
  ignore(must(occurrences.add_if_new(occurrence)));
  ignore(must(occurrences.is_planned(occurrence.id)));
  ignore(occurrences.planned());
  ignore(occurrences.newest(schedule, 10));
  occurrence.status = OccurrenceStatus::started;
  must(occurrences.settle(occurrence));
  ignore(occurrences.prune(schedule, 10, 10));
  ChainedStarts chained(db);
  must(chained.add_after(flow, RunStatus::success, at(0)));
  ignore(chained.list());
  must(chained.take(flow));

  must(SettingsStore(db).define({}, at(0)));
  ignore(SettingsStore(db).get());
  ignore(read_totals(db));
  DefinitionChanges changes(db);
  ignore(changes.catalog_key());
  ignore(changes.newest());
  ignore(changes.since(0));
}

// In another repository, with a chain of its own there.
Copy committed_copy(db::Connection& db, const Point& point, const Layer& layer, Id elsewhere) {
  const auto ignore = [](const auto&) {};
  Copy copy;
  copy.id = new_id(), copy.point_id = point.id, copy.machine_id = point.machine_id;
  copy.repository_id = elsewhere, copy.chain_id = new_id();
  must(Points(db).add_chain({copy.chain_id, copy.machine_id, elsewhere, at(0)}));
  Copies copies(db);
  must(copies.add(copy));
  ignore(copies.writing(copy.machine_id, copy.repository_id));
  ignore(copies.of_repository(copy.repository_id));
  ignore(copies.of_machine(copy.machine_id));
  ignore(copies.damaged(copy.machine_id));
  ignore(copies.held(copy.machine_id, copy.repository_id));
  Layer copied = layer;
  copied.id = new_id(), copied.chain_id = copy.chain_id;
  copy.disks = {{new_id(), layer.disk_id, copied.id, 1, ""}};
  copy.bytes_stored = 1;
  must(copies.commit(copy, {copied}));
  must(copies.set_damaged(copy.id, false));
  ignore(copies.untold(copy.repository_id, 10));
  must(copies.set_told(copy.id, 1));
  ignore(copies.of_point(point.id));
  ignore(copies.going(copy.machine_id, copy.repository_id));
  return copy;
}

void use_copies(db::Connection& db, const Point& point, const Layer& layer) {
  const auto ignore = [](const auto&) {};
  Copy abandoned;
  abandoned.id = new_id(), abandoned.point_id = point.id, abandoned.machine_id = point.machine_id;
  abandoned.repository_id = must(Repositories(db).add("further", {}, at(0))).id,
  abandoned.chain_id = new_id();
  must(Points(db).add_chain({abandoned.chain_id, abandoned.machine_id, abandoned.repository_id, at(0)}));
  must(Copies(db).add(abandoned));
  must(Copies(db).take_over(abandoned.id, std::nullopt, std::nullopt));
  must(Copies(db).abandon(abandoned.id));

  const Copy copy = committed_copy(db, point, layer, must(Repositories(db).add("offsite", {}, at(0))).id);
  ignore(RepositorySizes(db).growth(copy.repository_id, at(0)));
  Retention retention(db);
  must(retention.set_stored(copy.disks[0].layer_id, 7, at(0)));
  must(retention.retire_copy(copy.id, at(0)));
  must(retention.forget_layer(copy.disks[0].layer_id, at(0)));
  must(retention.forget_copy(copy.id));
}

void use_points(db::Connection& db, const Point& point) {
  const auto ignore = [](const auto&) {};
  Pins pins(db);
  must(pins.add({new_id(), point.id, at(0), "", at(1), ""}));
  ignore(pins.of_point(point.id));
  ignore(pins.remove_ended(at(0)));
  must(pins.remove_all(point.id));
  must(Verdicts(db).add({new_id(), point.id, at(0), VerdictResult::good, "ann", ""}));
  ignore(Verdicts(db).of_point(point.id));
  BootChecks boot_checks(db);
  must(boot_checks.set({.point_id = point.id, .expect = "screen"}, ""));
  ignore(boot_checks.of_point(point.id));
  ignore(boot_checks.screenshot(point.id));
  ignore(boot_checks.has_screenshot(point.id));
  ignore(boot_checks.newest_of(point.machine_id));
  ignore(boot_checks.times_of(point.machine_id));

  Points points(db);
  must(points.touch(point.id));
  must(points.set_told(point.id, 1));
  ignore(points.untold(point.repository_id, 10));
  ignore(points.newest_good(point.machine_id, at(0)));
  ignore(points.of_execution(1));
  ignore(points.after(0, 10));
  ignore(points.chain(point.chain_id));
  ignore(points.chains(point.machine_id));
  ignore(points.of_chain(point.chain_id));
  ignore(points.layers_of(point.chain_id));
  ignore(points.job_of_full(point.chain_id));
  must(points.reset_cbt(point.machine_id));
  ignore(points.repositories_of(point.machine_id));
}

void use_readings(db::Connection& db, const Point& point, const Layer& layer) {
  const auto ignore = [](const auto&) {};
  Readings readings(db);
  ignore(readings.layers(point.repository_id));
  ignore(readings.shown(point.repository_id));
  must(readings.set_read(layer.id, at(0), true));
  must(readings.set_unsound(layer.id));
  must(readings.set_point_read(point.id, at(1)));
  ignore(readings.resting_on(layer.id));
  ignore(readings.read_through(point.machine_id, point.repository_id));
  ignore(readings.done_until(1, point.repository_id));
  must(readings.set_done_until(1, point.repository_id, at(0)));
  ignore(readings.of_machine(point.machine_id));
  ignore(readings.of_repository(point.repository_id));
  ignore(readings.of_all());
  ignore(readings.by_owner());
  ignore(Policies(db).verifying());
}

// A point on its way out; the layer stays until it is forgotten.
void use_retention(db::Connection& db, const Point& point, const Layer& layer) {
  const auto ignore = [](const auto&) {};
  Retention retention(db);
  ignore(retention.points(point.machine_id, at(0)));
  must(retention.begin_merge(layer.id, "bb", layer.id));
  ignore(retention.copies(point.machine_id, point.repository_id));
  ignore(retention.merging());
  ignore(retention.due());
  ignore(retention.set_due(1, true));
  must(retention.give_up_merge(layer.id));
  must(retention.set_punched(layer.id, layer.id));
  must(retention.set_stored(layer.id, 7, at(0)));
  must(retention.end_merge(layer.id, 1, "", ""));
  must(retention.set_retirement(point.machine_id, Retention::Retired{at(0), std::chrono::seconds{1}}));
  ignore(retention.retirement(point.machine_id));
  ignore(retention.over(at(0)));
  must(retention.set_warning(point.machine_id, "x"));
  ignore(retention.warning(point.machine_id));
  const Copy copy = committed_copy(db, point, layer, must(Repositories(db).add("third", {}, at(0))).id);
  must(retention.retire(point.id, at(0)));  // the copy becomes it
  must(retention.retire(point.id, at(0)));
  ignore(retention.retired(point.machine_id, point.repository_id));
  ignore(retention.layers(point.machine_id, point.repository_id));
  must(retention.forget_layer(layer.id, at(0)));
  must(retention.forget_layer(copy.disks[0].layer_id, at(0)));
  must(retention.forget(point.id));  // stays for the copy's sake
  must(retention.forget_copy(copy.id));
}

void use_logs(db::Connection& db, const Job& job, const Execution& execution) {
  const auto ignore = [](const auto&) {};
  must(Logs(db).add(job, at(0), "begins"));
  must(Logs(db).add(execution, at(0), "ends"));
  ignore(Logs(db).of_job(job.id, 0, 10));
  ignore(Logs(db).of_execution(execution.id, 0, 10));
  ignore(Flows(db).after(0, 10));
}

// Every function of every store, so that each of their statements is prepared.
void use_everything(db::Connection& db) {
  const auto ignore = [](const auto&) {};
  Machines machines(db);
  const Id machine = must(machines.add("m", {}, at(0))).id;
  must(machines.define(machine, a_machine(), at(0)));
  must(machines.rename(machine, "n", at(0)));
  ignore(machines.find("n"));
  ignore(machines.list());
  const auto disks = must(machines.disks(machine));
  must(machines.set_capacity(disks[0].id, 1));
  must(machines.set_source_identity(disks[0].id, "x"));

  Repositories repositories(db);
  const Id repository = must(repositories.add("r", {}, at(0))).id;
  must(repositories.define(repository, a_repository(), at(0)));
  must(repositories.define(repository, a_repository("/other"), at(0)));
  must(repositories.rename(repository, "s", at(0)));
  must(repositories.set_marker(repository, "x"));
  ignore(repositories.find("s"));
  ignore(repositories.list());
  ignore(repositories.usage(repository));

  Flows flows(db);
  const Id flow = must(flows.add("f", {}, at(0))).id;
  FlowDefinition definition = a_flow();
  definition.target = "machines/n", definition.repository = "s";
  must(flows.define(flow, definition, at(0)));
  must(flows.get(flow));
  must(flows.rename(flow, "g", at(0)));
  ignore(flows.find("g"));
  ignore(flows.list());

  use_the_rest(db, machine, flow);

  Executions executions(db);
  Execution execution = an_execution(flow, "r1");
  must(executions.add(execution));
  ignore(executions.find(flow, "r1"));
  ignore(executions.newest(flow, 10));
  ignore(executions.latest(flow));
  ignore(executions.unfinished());
  end(execution, RunStatus::success);
  must(executions.update(execution));
  ignore(executions.prune(flow, 10, 10));

  Jobs jobs(db);
  Job job = a_job("j1");
  must(jobs.add(job));
  ignore(jobs.get(job.id));
  ignore(jobs.find("j1"));
  ignore(jobs.newest(10));
  ignore(jobs.of_execution(execution.id));
  ignore(jobs.unfinished());
  must(jobs.update(job));
  use_logs(db, job, execution);
  ignore(jobs.unfinished_alone());
  ignore(jobs.prune({.machine_id = machine}, 10, 10));
  ignore(jobs.prune({.flow_id = flow}, 10, 10));
  ignore(jobs.prune({.repository_id = repository}, 10, 10));

  Points points(db);
  Point point;
  point.id = new_id();
  point.machine_id = machine, point.repository_id = repository;
  point.name = "writing";
  point.full_reason = FullReason::no_parent;
  must(points.add(point));
  point.chain_id = new_id(), point.name = "t1";
  must(points.add_chain({point.chain_id, machine, repository, at(0)}));
  must(points.freeze(point.id, at(0), "t1", point.chain_id));
  ignore(points.writing());
  const Layer layer{new_id(), point.chain_id, disks[0].id, std::nullopt, "t1/disk-0.qcow2", "aa", 1};
  PointDisk disk;
  disk.id = new_id(), disk.disk_id = disks[0].id, disk.name = "disk-0", disk.layer_id = layer.id;
  disk.full_reason = FullReason::no_parent;
  point.disks = {disk};
  must(points.commit(point, {layer}));
  must(points.get(point.id));
  must(jobs.set_chain(job.id, point.chain_id));
  ignore(jobs.unfinished_of(machine));
  must(points.set_verified(point.id, {at(0), VerifyLevel::quick}));
  use_copies(db, point, layer);
  use_points(db, point);
  use_readings(db, point, layer);
  ignore(points.find(machine, "t1"));
  ignore(points.list(machine));
  ignore(points.newest_good(machine));
  ignore(points.of_repository(repository));
  ignore(points.newest(machine, repository));
  ignore(points.disk(disk.id));
  ignore(points.layer(layer.id));
  ignore(points.stack(layer.id));
  ignore(points.of_machine(machine));

  Leftovers leftovers(db);
  const Leftover leftover{new_id(), machine, point.id, LeftoverKind::node, "hf", "", "abacus"};
  must(leftovers.add(leftover));
  ignore(leftovers.of_machine(machine));
  ignore(leftovers.machines());
  must(leftovers.remove(leftover.id));

  Events events(db);
  Event event;
  event.event = "test";
  must(events.add(event));
  ignore(events.since(0, 10, {}));
  ignore(events.parts());
  for (const char* object :
       {"machines/m", "repositories/r", "flows/f", "groups/g", "schedules/s", "policies/p", "jobs/j"}) {
    event.object = object;
    must(events.add(event));
  }
  Collections collections(db);
  ignore(collections.get(DefinitionKind::flow));
  must(collections.set(DefinitionKind::flow, {}, at(0)));
  ignore(read_owned_totals(db));
  ignore(flows.ownership(flow));

  use_retention(db, point, layer);
  ignore(points.remove(point.id));
  must(flows.remove(flow));
  must(machines.get(machine));
  must(machines.remove(machine));
  must(repositories.get(repository));
  must(repositories.remove(repository));
}

TEST_F(QueryPlans, no_statement_of_the_stores_scans_a_growing_table) {
  use_everything(*connection);
  int seen = 0;
  for (const std::string& sql : connection->prepared()) {
    if (sql.starts_with("PRAGMA") || sql.find("sqlite_schema") != std::string::npos) continue;
    EXPECT_EQ(unbounded(sql), "") << sql;
    ++seen;
  }
  EXPECT_GT(seen, 130) << "the stores are not all used above";
}

TEST_F(QueryPlans, a_scan_is_found) {
  EXPECT_NE(unbounded("SELECT count(*) FROM executions WHERE started_at > 5"), "");
  EXPECT_NE(unbounded("SELECT name FROM jobs ORDER BY machine_id, name LIMIT 5"), "");
  EXPECT_NE(unbounded("SELECT name FROM points WHERE flow = 'f' LIMIT 1"), "");
  EXPECT_NE(unbounded("SELECT id FROM events"), "");
  EXPECT_EQ(unbounded("SELECT id FROM events WHERE id > :after LIMIT :n"), "");
}

}  // namespace
}  // namespace holdfast
