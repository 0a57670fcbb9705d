// A flow never has two runs at once: tests of starts that come meanwhile, and of flows that run after others.
#include "tests/schedule/fixture.h"

namespace holdfast::schedule {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using OverlapTest = AgendaTest;

TEST_F(OverlapTest, a_start_is_skipped_while_the_flow_runs) {
  define_schedule("s", {.cron = "0 * * * *"});
  look();
  look_at("2026-01-01T01:00:00Z");
  look_at("2026-01-01T02:00:00Z");
  end_runs();
  look_at("2026-01-01T03:00:00Z");
  EXPECT_THAT(history(),
              ElementsAre("2026-01-01T01:00:00Z started", "2026-01-01T02:00:00Z skipped already_running",
                          "2026-01-01T03:00:00Z started"));
  EXPECT_EQ(last_event(), "flow.skip flows/f already_running");
}

TEST_F(OverlapTest, one_start_waits_for_the_end_of_the_run_if_the_flow_queues) {
  define_schedule("s", {.cron = "0 * * * *"});
  define_flow("f", {.schedule = "s", .overlap = Overlap::queue});
  look();
  look_at("2026-01-01T01:00:00Z");
  look_at("2026-01-01T02:00:00Z");
  look_at("2026-01-01T03:00:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T01:00:00Z started", "2026-01-01T02:00:00Z planned",
                                     "2026-01-01T03:00:00Z skipped already_running"));
  EXPECT_THAT(executions(flow), SizeIs(1));
  end_runs();
  look_at("2026-01-01T03:10:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T01:00:00Z started", "2026-01-01T02:00:00Z started",
                                     "2026-01-01T03:00:00Z skipped already_running"));
}

TEST_F(OverlapTest, a_waiting_start_survives_a_restart) {
  define_flow("f", {.schedule = "s", .overlap = Overlap::queue});
  look();
  look_at("2026-01-01T02:00:00Z");
  look_at("2026-01-02T02:00:00Z");
  begin_again();
  look();
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z started", "2026-01-02T02:00:00Z planned"));
  end_runs();
  look();
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z started", "2026-01-02T02:00:00Z started"));
}

TEST_F(OverlapTest, a_waiting_start_is_skipped_once_a_blackout_begins) {
  define_schedule("s", {.cron = "0 * * * *", .blackout = {"03:30-05:00"}});
  define_flow("f", {.schedule = "s", .overlap = Overlap::queue});
  look();
  look_at("2026-01-01T02:00:00Z");
  look_at("2026-01-01T03:00:00Z");
  end_runs();
  look_at("2026-01-01T03:40:00Z");
  EXPECT_THAT(history().back(), "2026-01-01T03:00:00Z skipped blackout");
}

class AfterTest : public AgendaTest {
 protected:
  // Runs f and ends it with the given status.
  void run_first(RunStatus status) {
    look();
    look_at("2026-01-01T02:00:00Z");
    end_runs(status);
    look();
  }
};

TEST_F(AfterTest, a_flow_runs_after_the_success_of_another) {
  const Id second = define_flow("g", {.after = "f"});
  run_first(RunStatus::success);
  const auto runs = executions(second);
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs.front().by_name, "flows/f");
  EXPECT_EQ(runs.front().type, ExecutionType::scheduled);
  end_runs();
  look();
  EXPECT_THAT(executions(second), SizeIs(1));
}

TEST_F(AfterTest, a_flow_does_not_run_after_a_failure_of_another) {
  const Id second = define_flow("g", {.after = "f"});
  run_first(RunStatus::warning);
  EXPECT_THAT(executions(second), IsEmpty());
}

TEST_F(AfterTest, a_flow_that_always_runs_after_another_runs_after_its_failure) {
  const Id second = define_flow("g", {.after = "f", .after_when = AfterWhen::always});
  run_first(RunStatus::error);
  EXPECT_THAT(executions(second), SizeIs(1));
}

TEST_F(AfterTest, a_chain_of_flows_runs_one_after_the_other) {
  const Id second = define_flow("g", {.after = "f"}), third = define_flow("h", {.after = "g"});
  run_first(RunStatus::success);
  EXPECT_THAT(executions(third), IsEmpty());
  end_runs();
  look();
  EXPECT_THAT(executions(second), SizeIs(1));
  EXPECT_THAT(executions(third), SizeIs(1));
}

TEST_F(AfterTest, a_restart_loses_no_turn_after_another_flow) {
  const Id second = define_flow("g", {.after = "f"});
  look();
  look_at("2026-01-01T02:00:00Z");
  end_runs();
  begin_again();
  look();
  EXPECT_THAT(executions(second), SizeIs(1));
  begin_again();
  look();
  EXPECT_THAT(executions(second), SizeIs(1));
}

TEST_F(AfterTest, a_disabled_flow_is_skipped_after_another) {
  const Id second = define_flow("g", {.enabled = false, .after = "f"});
  run_first(RunStatus::success);
  EXPECT_THAT(executions(second), IsEmpty());
  EXPECT_EQ(last_event(), "flow.skip flows/g disabled");
}

TEST_F(AfterTest, a_turn_waits_while_the_daemon_drains) {
  const Id second = define_flow("g", {.after = "f"});
  look();
  look_at("2026-01-01T02:00:00Z");
  starter.draining = true;
  end_runs();
  look();
  EXPECT_THAT(executions(second), IsEmpty());
  starter.draining = false;
  look();
  EXPECT_THAT(executions(second), SizeIs(1));
}

TEST_F(AfterTest, a_turn_of_a_running_flow_is_skipped_or_waits) {
  define_schedule("s", {.cron = "0 * * * *"});
  const Id skips = define_flow("g", {.after = "f"});
  const Id waits = define_flow("h", {.overlap = Overlap::queue, .after = "f"});
  look();
  const auto end_first = [&] {
    write([&](db::Connection& db) -> Result<> {
      HF_TRY(auto latest, Executions(db).latest(flow));
      latest->status = RunStatus::success;
      latest->started_at = latest->completed_at = clock.now();
      HF_CHECK(Executions(db).update(*latest));
      return ChainedStarts(db).add_after(flow, latest->status, clock.now());
    });
    look();
  };
  look_at("2026-01-01T01:00:00Z");
  end_first();
  look_at("2026-01-01T02:00:00Z");
  end_first();
  EXPECT_EQ(last_event(), "flow.skip flows/g already_running");
  EXPECT_THAT(executions(waits), SizeIs(1));
  end_runs();
  look();
  EXPECT_THAT(executions(skips), SizeIs(1));
  EXPECT_THAT(executions(waits), SizeIs(2));
}

TEST_F(AfterTest, a_circle_of_flows_is_refused_by_name) {
  define_flow("g", {.after = "f"});
  define_flow("h", {.after = "g"});
  const auto refused = catalog->write([&](db::Connection& db) {
    return Flows(db).define(flow, {.target = "machines/m", .repository = "r", .after = "h"}, clock.now());
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EINVAL);
  EXPECT_THAT(refused.error().message, HasSubstr("'f' after 'h' after 'g' after 'f'"));
}

}  // namespace
}  // namespace holdfast::schedule
