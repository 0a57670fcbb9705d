// Promises of the stores on a real database: runs, and what comes of it.
#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Runs : public CatalogTest {
 protected:
  Execution added(std::string name) {
    Execution execution = an_execution(flow, std::move(name));
    write([&](db::Connection& db) { must(Executions(db).add(execution)); });
    return execution;
  }
  void ended(Execution& execution, RunStatus status, int started = 1, int completed = 3) {
    end(execution, status, started, completed);
    write([&](db::Connection& db) { must(Executions(db).update(execution)); });
  }
  Flow the_flow() {
    return read([&](db::Connection& db) { return must(Flows(db).get(flow)); });
  }
  Repositories::Usage usage() {
    return read([&](db::Connection& db) { return must(Repositories(db).usage(repository)); });
  }
  Points::Total total() {
    return read([&](db::Connection& db) { return must(Points(db).of_machine(machine)); });
  }
};

TEST_F(Runs, an_execution_is_read_back_as_it_was_written) {
  Execution execution = added("r1");
  execution.status = RunStatus::warning;
  execution.type = ExecutionType::api;
  execution.by = Caller{1000, 100, 42};
  execution.by_name = "cron";
  execution.reason = EndReason::unplanned_full;
  execution.message = "the bitmap was gone";
  execution.jobs_created = 4, execution.jobs_completed = 3, execution.jobs_failed = 2,
  execution.jobs_skipped = 1;
  execution.machines_processed = 5;
  execution.bytes_read = 6, execution.bytes_transferred = 7, execution.bytes_stored = 8;
  execution.started_at = at(10), execution.completed_at = at(20);
  write([&](db::Connection& db) { must(Executions(db).update(execution)); });
  const Execution found = read([&](db::Connection& db) { return must(Executions(db).get(execution.id)); });
  EXPECT_EQ(found.status, execution.status);
  EXPECT_EQ(found.type, execution.type);
  EXPECT_EQ(found.by, execution.by);
  EXPECT_EQ(found.by_name, execution.by_name);
  EXPECT_EQ(found.reason, execution.reason);
  EXPECT_EQ(found.message, execution.message);
  EXPECT_THAT((std::vector{found.jobs_created, found.jobs_completed, found.jobs_failed, found.jobs_skipped,
                           found.machines_processed}),
              ElementsAre(4, 3, 2, 1, 5));
  EXPECT_THAT((std::vector{found.bytes_read, found.bytes_transferred, found.bytes_stored}),
              ElementsAre(6, 7, 8));
  EXPECT_EQ(found.created_at, at(0));
  EXPECT_EQ(found.started_at, at(10));
  EXPECT_EQ(found.completed_at, at(20));
  EXPECT_GT(found.revision, 0);
}

TEST_F(Runs, a_flow_has_at_most_one_execution_that_is_not_final) {
  added("r1");
  const Execution second = an_execution(flow, "r2");
  EXPECT_EQ(refused([&](db::Connection& db) { return Executions(db).add(second); }).code, EBUSY);
}

TEST_F(Runs, an_executions_name_is_taken_in_its_flow_only) {
  Execution first = added("r1");
  ended(first, RunStatus::success);
  const Execution again = an_execution(flow, "r1");
  EXPECT_EQ(refused([&](db::Connection& db) { return Executions(db).add(again); }),
            (Error{EEXIST, "the flow has an execution 'r1'"}));
  write([&](db::Connection& db) {
    const Flow other = must(Flows(db).add("other", {}, at(1)));
    must(Executions(db).add(an_execution(other.id, "r1")));
  });
}

TEST_F(Runs, a_final_status_stays) {
  Execution execution = added("r1");
  ended(execution, RunStatus::cancelled);
  end(execution, RunStatus::success);
  EXPECT_EQ(refused([&](db::Connection& db) { return Executions(db).update(execution); }),
            (Error{EINVAL, "execution 'r1' has ended with cancelled; that stays"}));
  const Execution unknown = an_execution(flow, "never-added");
  EXPECT_EQ(refused([&](db::Connection& db) { return Executions(db).update(unknown); }).code, ENOENT);
}

TEST_F(Runs, a_flow_counts_its_executions) {
  for (const RunStatus status :
       {RunStatus::success, RunStatus::success, RunStatus::warning, RunStatus::error, RunStatus::cancelled}) {
    Execution execution = added(fmt::format("r{}", new_id()));
    ended(execution, status, 10, 14);
  }
  Execution interrupted = added("interrupted");
  interrupted.reason = EndReason::interrupted;
  ended(interrupted, RunStatus::error, 10, 100'000);
  added("running");
  const Flow found = the_flow();
  EXPECT_EQ(found.total_executions, 7);
  EXPECT_EQ(found.successful_executions, 2);
  EXPECT_EQ(found.warned_executions, 1);
  EXPECT_EQ(found.failed_executions, 2);
  EXPECT_EQ(found.finished_executions, 4) << "neither the cancelled nor the interrupted one";
  EXPECT_EQ(found.total_milliseconds, 16'000);
}

TEST_F(Runs, executions_are_found_and_listed_newest_first) {
  for (const char* name : {"r1", "r2", "r3"}) {
    Execution execution = added(name);
    ended(execution, RunStatus::success);
  }
  const Execution running = added("r4");
  read([&](db::Connection& db) {
    Executions executions(db);
    std::vector<std::string> names;
    for (const Named& named : must(executions.newest(flow, 3))) names.push_back(named.name);
    EXPECT_THAT(names, ElementsAre("r4", "r3", "r2"));
    EXPECT_EQ(must(executions.find(flow, "r4")), running.id);
    EXPECT_EQ(must(executions.find(flow, "r5")), std::nullopt);
    EXPECT_EQ(must(executions.latest(flow))->name, "r4");
    EXPECT_EQ(must(executions.latest(999)), std::nullopt);
    const auto unfinished = must(executions.unfinished());
    ASSERT_EQ(unfinished.size(), 1u);
    EXPECT_EQ(unfinished[0].id, running.id);
  });
}

TEST_F(Runs, a_flow_that_runs_stays_and_afterwards_takes_its_records_along) {
  Execution execution = added("r1");
  Job job = a_job("j1");
  job.execution_id = execution.id;
  write([&](db::Connection& db) { must(Jobs(db).add(job)); });
  EXPECT_EQ(refused([&](db::Connection& db) { return Flows(db).remove(flow); }),
            (Error{EBUSY, "flow 'f' has execution 'r1' running"}));
  const Point point = committed_point("t1", 1);
  ended(execution, RunStatus::success);
  write([&](db::Connection& db) {
    must(Flows(db).remove(flow));
    EXPECT_FALSE(Executions(db).get(execution.id));
    EXPECT_EQ(must(Jobs(db).find("j1")), std::nullopt);
    EXPECT_TRUE(Points(db).get(point.id));
  });
}

TEST_F(Runs, a_job_is_read_back_as_it_was_written) {
  const Execution execution = added("r1");
  Job parent = a_job("parent");
  Job job = a_job("j1");
  job.operation = "incremental";
  job.owner = "flows/f";
  job.execution_id = execution.id, job.machine_id = machine, job.repository_id = repository;
  job.parent_job_id = parent.id;
  job.metadata = R"({"why":"test"})";
  write([&](db::Connection& db) {
    must(Jobs(db).add(parent));
    must(Jobs(db).add(job));
  });
  job.bytes_done = 1, job.bytes_total = 2, job.bytes_read = 3, job.bytes_transferred = 4,
  job.bytes_stored = 5;
  job.reason = EndReason::failed;
  job.message = "it broke";
  end(job, RunStatus::error, 10, 20);
  write([&](db::Connection& db) { must(Jobs(db).update(job)); });
  const Job found = read([&](db::Connection& db) { return must(Jobs(db).get(job.id)); });
  EXPECT_EQ(found.operation, job.operation);
  EXPECT_EQ(found.owner, job.owner);
  EXPECT_EQ(found.execution_id, execution.id);
  EXPECT_EQ(found.machine_id, machine);
  EXPECT_EQ(found.repository_id, repository);
  EXPECT_EQ(found.parent_job_id, parent.id);
  EXPECT_EQ(found.metadata, job.metadata);
  EXPECT_EQ(found.message, job.message);
  EXPECT_EQ(found.reason, job.reason);
  EXPECT_THAT((std::vector{found.bytes_done, found.bytes_total, found.bytes_read, found.bytes_transferred,
                           found.bytes_stored}),
              ElementsAre(1, 2, 3, 4, 5));
  EXPECT_EQ(found.started_at, at(10));
  EXPECT_EQ(found.completed_at, at(20));
}

TEST_F(Runs, jobs_are_found_and_listed) {
  const Execution execution = added("r1");
  for (const char* name : {"j1", "j2", "j3"}) {
    Job job = a_job(name);
    if (name != std::string_view("j3")) job.execution_id = execution.id;
    write([&](db::Connection& db) { must(Jobs(db).add(job)); });
  }
  const auto names_of = [](const std::vector<Named>& found) {
    std::vector<std::string> names;
    for (const Named& named : found) names.push_back(named.name);
    return names;
  };
  read([&](db::Connection& db) {
    Jobs jobs(db);
    EXPECT_THAT(names_of(must(jobs.newest(2))), ElementsAre("j3", "j2"));
    EXPECT_THAT(names_of(must(jobs.of_execution(execution.id))), ElementsAre("j1", "j2"));
    EXPECT_EQ(must(jobs.unfinished()).size(), 3u);
    EXPECT_TRUE(must(jobs.find("j2")));
    EXPECT_FALSE(must(jobs.find("j4")));
  });
}

TEST_F(Runs, a_jobs_name_is_taken_among_all_and_its_end_stays) {
  Job job = a_job("j1");
  write([&](db::Connection& db) { must(Jobs(db).add(job)); });
  EXPECT_EQ(refused([](db::Connection& db) { return Jobs(db).add(a_job("j1")); }),
            (Error{EEXIST, "job 'j1' exists"}));
  end(job, RunStatus::success);
  write([&](db::Connection& db) { must(Jobs(db).update(job)); });
  EXPECT_EQ(refused([&](db::Connection& db) { return Jobs(db).update(job); }).code, EINVAL);
}

TEST_F(Runs, a_point_and_its_stack_are_read_back) {
  const Point full = committed_point("t1", 10);
  const Point increment = committed_point("t2", 20, &full);
  read([&](db::Connection& db) {
    Points points(db);
    EXPECT_THAT(must(points.list(machine)), ElementsAre(Named{full.id, "t1"}, Named{increment.id, "t2"}));
    EXPECT_EQ(must(points.find(machine, "t2")), increment.id);
    const auto newest = must(points.newest(machine, repository));
    ASSERT_TRUE(newest);
    EXPECT_EQ(newest->id, increment.id);
    EXPECT_EQ(newest->parent_point_id, full.id);
    ASSERT_EQ(newest->disks.size(), 2u);
    EXPECT_EQ(newest->disks[0].change_id, "hf-bitmap");
    EXPECT_EQ(newest->disks[0].capacity, 1u << 20);
    EXPECT_EQ(must(points.disk(newest->disks[1].id)).name, "disk-1");
    const auto stack = must(points.stack(increment.disks[0].layer_id));
    ASSERT_EQ(stack.size(), 2u);
    EXPECT_EQ(stack[0].id, increment.disks[0].layer_id);
    EXPECT_EQ(stack[1].id, full.disks[0].layer_id);
    EXPECT_EQ(must(points.layer(stack[1].id)).file, "t1/disk-0.qcow2");
  });
}

// A clock that was ahead for a while must not make its point the parent for ever (law 21).
TEST_F(Runs, parent_and_latest_follow_the_sequence_of_captures_whatever_the_clock_said) {
  const Point ahead = committed_point("t2", 1'000'000);
  const Point right = committed_point("t1", 10);
  read([&](db::Connection& db) {
    EXPECT_EQ(must(Points(db).newest(machine, repository))->id, right.id);
    EXPECT_EQ(must(Points(db).newest_good(machine))->id, right.id);
    EXPECT_EQ(must(Points(db).list(machine)).front().id, right.id);
    EXPECT_EQ(must(Points(db).newest(machine, 999)), std::nullopt);
  });
}

TEST_F(Runs, a_point_that_is_being_written_is_not_shown) {
  const Point writing = begin_point("t1", 10);
  read([&](db::Connection& db) {
    Points points(db);
    EXPECT_THAT(must(points.list(machine)), IsEmpty());
    EXPECT_EQ(must(points.find(machine, "t1")), std::nullopt);
    EXPECT_EQ(must(points.newest_good(machine)), std::nullopt);
    ASSERT_EQ(must(points.writing()).size(), 1u);
    EXPECT_EQ(must(points.writing())[0].id, writing.id);
  });
  EXPECT_EQ(total().points, 0);
}

TEST_F(Runs, a_point_has_no_chain_before_its_freeze) {
  Point point;
  point.id = new_id();
  point.machine_id = machine, point.repository_id = repository;
  point.name = "writing";
  write([&](db::Connection& db) { must(Points(db).add(point)); });
  EXPECT_EQ(read([&](db::Connection& db) { return must(Points(db).get(point.id)); }).chain_id, 0);
  const Chain chain = a_chain();
  write([&](db::Connection& db) { must(Points(db).freeze(point.id, at(7), "t7", chain.id)); });
  const Point frozen = read([&](db::Connection& db) { return must(Points(db).get(point.id)); });
  EXPECT_EQ(frozen.chain_id, chain.id);
  EXPECT_EQ(frozen.name, "t7");
  EXPECT_EQ(frozen.time, at(7));
}

TEST_F(Runs, a_point_does_not_freeze_under_a_taken_name) {
  committed_point("t1", 1);
  const Point point = begin_point("t2", 2);
  EXPECT_EQ(
      refused([&](db::Connection& db) { return Points(db).freeze(point.id, at(3), "t1", point.chain_id); }),
      (Error{EEXIST, "the machine has a point 't1'"}));
}

TEST_F(Runs, a_machine_is_captured_into_a_repository_once_at_a_time) {
  const Point first = begin_point("t1", 1);
  Point second = first;
  second.id = new_id();
  second.name = "t2";
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).add(second); }).code, EBUSY);
}

TEST_F(Runs, a_point_is_committed_once) {
  Point point = committed_point("t1", 1);
  EXPECT_EQ(refused([&](db::Connection& db) {
              Point again = point;
              again.disks.clear();
              return Points(db).commit(again, {});
            }).code,
            EINVAL);
  EXPECT_EQ(total().points, 1);
}

TEST_F(Runs, a_commit_is_all_or_nothing) {
  Point point = begin_point("t1", 1);
  const auto layers = fill(point);
  point.disks[1].layer_id = point.disks[0].layer_id;  // another disk's
  refused([&](db::Connection& db) { return Points(db).commit(point, layers); });
  read([&](db::Connection& db) {
    EXPECT_EQ(must(Points(db).get(point.id)).state, PointState::writing);
    EXPECT_THAT(must(Points(db).get(point.id)).disks, IsEmpty());
    EXPECT_FALSE(Points(db).layer(layers[0].id));
  });
  EXPECT_EQ(usage().points, 0);
}

TEST_F(Runs, machine_and_repository_count_their_points) {
  const Point full = committed_point("t1", 1);
  const Point increment = committed_point("t2", 2, &full);
  EXPECT_EQ(usage().points, 2);
  EXPECT_EQ(usage().bytes_stored, 2000u);
  EXPECT_EQ(total().points, 2);
  EXPECT_EQ(total().bytes_stored, 2000u);
  write([&](db::Connection& db) { must(Points(db).remove(increment.id)); });
  EXPECT_EQ(usage().points, 1);
  EXPECT_EQ(total().bytes_stored, 1000u);
}

TEST_F(Runs, a_point_on_which_another_rests_stays) {
  const Point full = committed_point("t1", 1);
  committed_point("t2", 2, &full);
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).remove(full.id); }),
            (Error{EBUSY, "point 't1' has point 't2' resting on it"}));
}

TEST_F(Runs, the_last_point_of_a_chain_takes_it_along) {
  const Point full = committed_point("t1", 1);
  const Point increment = committed_point("t2", 2, &full);
  const auto chains = [&] {
    return read([&](db::Connection& db) {
      auto count = must(db.prepare("SELECT count(*) FROM chains"));
      must(count.step());
      return count.integer(0);
    });
  };
  write([&](db::Connection& db) { must(Points(db).remove(increment.id)); });
  EXPECT_EQ(chains(), 1);
  write([&](db::Connection& db) { must(Points(db).remove(full.id)); });
  EXPECT_EQ(chains(), 0);
}

TEST_F(Runs, an_aborted_point_goes_once_its_leftovers_are_swept) {
  const Point point = begin_point("t1", 1);
  const Leftover leftover{new_id(), machine, point.id, LeftoverKind::bitmap, "hf-1", "", "abacus"};
  write([&](db::Connection& db) { must(Leftovers(db).add(leftover)); });
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).remove(point.id); }),
            (Error{EBUSY, "point 't1' has left 'hf-1' at the source, which is to be swept first"}));
  write([&](db::Connection& db) {
    must(Leftovers(db).remove(leftover.id));
    must(Points(db).remove(point.id));
  });
  EXPECT_EQ(total().points, 0);
}

TEST_F(Runs, leftovers_come_back_in_the_order_of_their_making) {
  const Point point = begin_point("t1", 1);
  for (const char* name : {"c", "a", "b"})
    write([&](db::Connection& db) {
      must(Leftovers(db).add({new_id(), machine, point.id, LeftoverKind::node, name, "{}", "abacus"}));
    });
  read([&](db::Connection& db) {
    std::vector<std::string> names;
    for (const Leftover& leftover : must(Leftovers(db).of_machine(machine))) names.push_back(leftover.name);
    EXPECT_THAT(names, ElementsAre("c", "a", "b"));
    EXPECT_THAT(must(Leftovers(db).machines()), ElementsAre(machine));
  });
}

TEST_F(Runs, events_come_back_in_the_order_of_their_commits) {
  Event first;
  first.id = 1'000'000'000'000'000'000;  // ignored: the store numbers events
  first.at = at(5);
  first.event = "flow.run";
  first.object = "flows/f";
  first.by = Caller{1000, 100, 42};
  first.result = EventResult::refused;
  first.reason = "busy";
  first.execution = "flows/f/executions/r1";
  first.job = "j1";
  Event second;
  second.at = at(4);
  second.event = "daemon.start";
  write([&](db::Connection& db) { must(Events(db).add(first)); });
  write([&](db::Connection& db) { must(Events(db).add(second)); });
  read([&](db::Connection& db) {
    const auto events = must(Events(db).since(0, 10, {}));
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].event, "flow.run");
    EXPECT_EQ(events[0].at, at(5));
    EXPECT_EQ(events[0].object, first.object);
    EXPECT_EQ(events[0].by, first.by);
    EXPECT_EQ(events[0].result, first.result);
    EXPECT_EQ(events[0].reason, first.reason);
    EXPECT_EQ(events[0].execution, first.execution);
    EXPECT_EQ(events[0].job, first.job);
    EXPECT_EQ(events[1].by, std::nullopt);
    EXPECT_EQ(must(Events(db).since(events[0].id, 10, {})).size(), 1u);
    EXPECT_EQ(must(Events(db).since(0, 1, {})).size(), 1u);
  });
}

}  // namespace
}  // namespace holdfast
