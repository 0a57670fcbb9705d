// Promises of the stores on a real database: copies of points, pins, verdicts, verifications, and what goes
// when history is forgotten.
#include "tests/catalog/copies_fixture.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class History : public CopiesTest {
 protected:
  void ended_execution(const std::string& name) {
    Execution execution = an_execution(flow, name);
    end(execution, RunStatus::success);
    Job job = a_job("job of " + name);
    job.name = "j-" + name;
    job.execution_id = execution.id;
    write([&](db::Connection& db) {
      must(Executions(db).add(execution));
      must(Jobs(db).add(job));
    });
  }
  using Place = std::function<void(Job&)>;  // names the object that a job works for
  std::vector<std::string> executions() {
    std::vector<std::string> names;
    for (const Named& named :
         read([&](db::Connection& db) { return must(Executions(db).newest(flow, 100)); }))
      names.push_back(named.name);
    return names;
  }
};

TEST_F(History, a_copy_is_read_back_and_counted_where_it_lies) {
  const Point point = committed_point("t1", 1);
  const Copy copy = committed_copy(point);
  const auto copies = read([&](db::Connection& db) { return must(Copies(db).of_point(point.id)); });
  ASSERT_EQ(copies.size(), 1u);
  EXPECT_EQ(copies[0].id, copy.id);
  EXPECT_EQ(copies[0].repository_id, offsite);
  EXPECT_EQ(copies[0].disks, copy.disks);
  EXPECT_EQ(copies[0].bytes_stored, 70u);
  EXPECT_EQ(copies[0].created_at, at(50));
  EXPECT_EQ(usage().points, 1);
  EXPECT_EQ(usage().bytes_stored, 70u);
}

TEST_F(History, a_point_has_one_copy_in_a_repository) {
  const Point point = committed_point("t1", 1);
  const Copy copy = begin_copy(point);
  Copy again = copy;
  again.id = new_id();
  EXPECT_EQ(refused([&](db::Connection& db) { return Copies(db).add(again); }).code, EEXIST);
  const auto writing =
      read([&](db::Connection& db) { return must(Copies(db).writing(copy.machine_id, copy.repository_id)); });
  ASSERT_EQ(writing.size(), 1u);
  EXPECT_EQ(writing[0].id, copy.id);
  write([&](db::Connection& db) { must(Copies(db).abandon(copy.id)); });
  EXPECT_EQ(usage().points, 0) << "it was never counted";
}

TEST_F(History, a_copy_that_is_written_is_not_abandoned_and_not_written_again) {
  const Point point = committed_point("t1", 1);
  Copy copy = committed_copy(point);
  EXPECT_EQ(refused([&](db::Connection& db) { return Copies(db).abandon(copy.id); }).code, EINVAL);
  copy.disks.clear();
  EXPECT_EQ(refused([&](db::Connection& db) { return Copies(db).commit(copy, {}); }).code, EINVAL);
}

TEST_F(History, a_point_that_is_copied_or_pinned_stays) {
  const Point point = committed_point("t1", 1);
  const Copy copy = begin_copy(point);
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).remove(point.id); }),
            (Error{EBUSY, "point 't1' has a copy in repository 'offsite'"}));
  write([&](db::Connection& db) {
    must(Copies(db).abandon(copy.id));
    must(Pins(db).add({new_id(), point.id, at(0), "ann", std::nullopt, "audit"}));
  });
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).remove(point.id); }),
            (Error{EBUSY, "point 't1' is pinned"}));
  write([&](db::Connection& db) {
    must(Pins(db).remove_all(point.id));
    must(Points(db).remove(point.id));
  });
}

TEST_F(History, a_pin_ends_at_its_time) {
  const Point point = committed_point("t1", 1);
  const Pin until{new_id(), point.id, at(0), "ann", at(10), "move", Caller{1000, 100, 42}};
  const Pin for_ever{new_id(), point.id, at(0), "", std::nullopt, ""};
  write([&](db::Connection& db) {
    must(Pins(db).add(until));
    must(Pins(db).add(for_ever));
    EXPECT_EQ(must(Pins(db).remove_ended(at(9))), 0);
    EXPECT_THAT(must(Pins(db).of_point(point.id)), ElementsAre(until, for_ever));
    EXPECT_EQ(must(Pins(db).remove_ended(at(10))), 1);
    EXPECT_THAT(must(Pins(db).of_point(point.id)), ElementsAre(for_ever));
    must(Pins(db).remove_all(point.id));
  });
  EXPECT_EQ(refused([&](db::Connection& db) { return Pins(db).remove_all(point.id); }).code, ENOENT);
  EXPECT_EQ(refused([&](db::Connection& db) {
              return Pins(db).add({new_id(), 9, at(0), "", {}, ""});
            }).code,
            ENOENT);
}

TEST_F(History, verdicts_and_the_last_verification_are_read_back_and_go_with_their_point) {
  const Point point = committed_point("t1", 1);
  const Verdict verdict{
      new_id(), point.id, at(5), VerdictResult::bad, "ann", "no boot", Caller{1000, 100, 42}};
  write([&](db::Connection& db) {
    must(Verdicts(db).add(verdict));
    must(Points(db).set_verified(point.id, {at(6), VerifyLevel::checksums, VerdictResult::bad}));
    EXPECT_THAT(must(Verdicts(db).of_point(point.id)), ElementsAre(verdict));
    EXPECT_EQ(must(Points(db).get(point.id)).verified,
              (Point::Verification{at(6), VerifyLevel::checksums, VerdictResult::bad}));
    must(Points(db).remove(point.id));
    EXPECT_THAT(must(Verdicts(db).of_point(point.id)), IsEmpty());
  });
  EXPECT_EQ(refused([&](db::Connection& db) { return Points(db).set_verified(9, {}); }).code, ENOENT);
  EXPECT_EQ(refused([&](db::Connection& db) {
              return Verdicts(db).add({new_id(), 9, at(0), VerdictResult::good, "ann", ""});
            }).code,
            ENOENT);
}

TEST_F(History, one_job_at_a_time_writes_to_a_chain) {
  const Chain chain = a_chain();
  Job first = a_job("first"), second = a_job("second");
  first.chain_id = chain.id;
  write([&](db::Connection& db) {
    must(Jobs(db).add(first));
    must(Jobs(db).add(second));
  });
  EXPECT_EQ(refused([&](db::Connection& db) { return Jobs(db).set_chain(second.id, chain.id); }),
            (Error{EBUSY, "another job writes to that chain"}));
  end(first, RunStatus::success);
  write([&](db::Connection& db) {
    must(Jobs(db).update(first));
    must(Jobs(db).set_chain(second.id, chain.id));
    EXPECT_EQ(must(Jobs(db).get(second.id)).chain_id, chain.id);
  });
  EXPECT_EQ(refused([&](db::Connection& db) { return Jobs(db).set_chain(9, chain.id); }).code, ENOENT);
}

TEST_F(History, old_executions_go_a_few_at_a_time_with_their_jobs_and_the_counters_stay) {
  for (int i = 0; i < 10; ++i) ended_execution(fmt::format("r{}", i));
  const auto pruned = [&](int keep, int at_most) {
    return write([&](db::Connection& db) { return must(Executions(db).prune(flow, keep, at_most)); });
  };
  EXPECT_EQ(pruned(4, 5), 5);
  EXPECT_EQ(pruned(4, 5), 1);
  EXPECT_EQ(pruned(4, 5), 0);
  EXPECT_THAT(executions(), ElementsAre("r9", "r8", "r7", "r6"));
  read([&](db::Connection& db) {
    EXPECT_EQ(must(Jobs(db).newest(100)).size(), 4u);
    const Flow counted = must(Flows(db).get(flow));
    EXPECT_EQ(counted.total_executions, 10);
    EXPECT_EQ(counted.successful_executions, 10);
  });
}

TEST_F(History, running_executions_and_points_are_not_pruned) {
  Execution running = an_execution(flow, "running");
  write([&](db::Connection& db) { must(Executions(db).add(running)); });
  Point point = begin_point("t1", 1);
  const auto layers = fill(point);
  write([&](db::Connection& db) {
    must(
        must(db.prepare("UPDATE points SET execution_id = :execution")).bind(":execution", running.id).run());
    must(Points(db).commit(point, layers));
    EXPECT_EQ(must(Executions(db).prune(flow, 0, 100)), 0);
  });
  end(running, RunStatus::success);
  write([&](db::Connection& db) { must(Executions(db).update(running)); });
  ended_execution("later");
  write([&](db::Connection& db) {
    EXPECT_EQ(must(Executions(db).prune(flow, 1, 100)), 1);
    EXPECT_EQ(must(Points(db).get(point.id)).execution_id, std::nullopt);
  });
  EXPECT_THAT(executions(), ElementsAre("later"));
}

TEST_F(History, old_jobs_of_no_execution_go_a_few_at_a_time) {
  ended_execution("r1");
  for (int i = 0; i < 6; ++i) {
    Job job = a_job(fmt::format("alone-{}", i));
    job.type = JobType::prune;
    if (i != 0) end(job, RunStatus::success);
    write([&](db::Connection& db) { must(Jobs(db).add(job)); });
  }
  write([&](db::Connection& db) {
    const Job like = a_job("like");
    EXPECT_EQ(must(Jobs(db).prune(like, 2, 2)), 2);
    EXPECT_EQ(must(Jobs(db).prune(like, 2, 2)), 1);
    EXPECT_EQ(must(Jobs(db).prune(like, 2, 2)), 0);
    EXPECT_TRUE(must(Jobs(db).find("j-r1"))) << "it goes with its execution";
    EXPECT_TRUE(must(Jobs(db).find("alone-0"))) << "it has not ended";
  });
}

TEST_F(History, jobs_of_one_object_push_out_none_of_another) {
  const auto add = [&](const std::string& name, auto place) {
    Job job = a_job(name);
    job.type = JobType::verify;
    place(job);
    end(job, RunStatus::success);
    write([&](db::Connection& db) { must(Jobs(db).add(job)); });
    return job;
  };
  const auto of_machine = [&](Job& job) { job.machine_id = machine; };
  const auto of_copy = [&](Job& job) { job.machine_id = machine, job.repository_id = offsite; };
  const auto of_repository = [&](Job& job) { job.repository_id = offsite; };
  const auto of_flow = [&](Job& job) { job.flow_id = flow, job.repository_id = offsite; };
  const auto of_none = [](Job&) {};
  add("repository-0", of_repository);
  add("flow-0", of_flow);
  add("none-0", of_none);
  Job last;
  for (int i = 0; i < 5; ++i)
    last = add(fmt::format("machine-{}", i), i % 2 == 0 ? Place(of_machine) : Place(of_copy));
  write([&](db::Connection& db) {
    EXPECT_EQ(must(Jobs(db).prune(last, 1, 100)), 4);
    for (const char* kept : {"machine-4", "repository-0", "flow-0", "none-0"})
      EXPECT_TRUE(must(Jobs(db).find(kept))) << kept;
  });
  for (const auto& [place, name] :
       {std::pair{Place(of_repository), "repository"}, {Place(of_flow), "flow"}, {Place(of_none), "none"}}) {
    const Job newer = add(fmt::format("{}-1", name), place);
    write([&](db::Connection& db) { EXPECT_EQ(must(Jobs(db).prune(newer, 1, 100)), 1); });
    write([&](db::Connection& db) {
      EXPECT_FALSE(must(Jobs(db).find(fmt::format("{}-0", name))));
      EXPECT_TRUE(must(Jobs(db).find("machine-4")));
    });
  }
}

}  // namespace
}  // namespace holdfast
