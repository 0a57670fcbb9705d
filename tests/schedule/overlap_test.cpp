// A flow never has two runs at once; what becomes of a start meanwhile; and flows that run after others.
#include "tests/schedule/fixture.h"

namespace holdfast::schedule {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using OverlapTest = AgendaTest;

TEST_F(OverlapTest, AStartIsSkippedWhileTheFlowRuns) {
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

TEST_F(OverlapTest, OneStartWaitsForTheEndWhereTheFlowQueues) {
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

TEST_F(OverlapTest, WhatWaitsSurvivesARestart) {
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

TEST_F(OverlapTest, WhatWaitsIsSkippedOnceABlackoutBegins) {
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
  // f runs, and ends so.
  void run_first(RunStatus status) {
    look();
    look_at("2026-01-01T02:00:00Z");
    end_runs(status);
    look();
  }
};

TEST_F(AfterTest, AFlowRunsAfterTheSuccessOfAnother) {
  const Id second = define_flow("g", {.after = "f"});
  run_first(RunStatus::success);
  const auto runs = executions(second);
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs.front().by, "flows/f");
  EXPECT_EQ(runs.front().type, ExecutionType::scheduled);
  end_runs();
  look();
  EXPECT_THAT(executions(second), SizeIs(1));
}

TEST_F(AfterTest, AFlowDoesNotRunAfterWhatWasNoSuccess) {
  const Id second = define_flow("g", {.after = "f"});
  run_first(RunStatus::warning);
  EXPECT_THAT(executions(second), IsEmpty());
}

TEST_F(AfterTest, AFlowThatAlwaysRunsAfterAnotherRunsAfterItsFailure) {
  const Id second = define_flow("g", {.after = "f", .after_when = AfterWhen::always});
  run_first(RunStatus::error);
  EXPECT_THAT(executions(second), SizeIs(1));
}

TEST_F(AfterTest, AWholeChainRunsOneAfterTheOther) {
  const Id second = define_flow("g", {.after = "f"}), third = define_flow("h", {.after = "g"});
  run_first(RunStatus::success);
  EXPECT_THAT(executions(third), IsEmpty());
  end_runs();
  look();
  EXPECT_THAT(executions(second), SizeIs(1));
  EXPECT_THAT(executions(third), SizeIs(1));
}

TEST_F(AfterTest, ARestartLosesNoTurn) {
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

TEST_F(AfterTest, ADisabledFlowIsSkipped) {
  const Id second = define_flow("g", {.enabled = false, .after = "f"});
  run_first(RunStatus::success);
  EXPECT_THAT(executions(second), IsEmpty());
  EXPECT_EQ(last_event(), "flow.skip flows/g disabled");
}

TEST_F(AfterTest, WhileTheDaemonDrainsATurnWaits) {
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

TEST_F(AfterTest, AFlowThatStillRunsIsSkippedOrWaits) {
  define_schedule("s", {.cron = "0 * * * *"});
  const Id skips = define_flow("g", {.after = "f"});
  const Id waits = define_flow("h", {.overlap = Overlap::queue, .after = "f"});
  look();
  const auto end_first = [&] {
    write([&](db::Connection& db) -> Result<> {
      HF_TRY(auto latest, Executions(db).latest(flow));
      latest->status = RunStatus::success;
      latest->started_at = latest->completed_at = clock.time;
      HF_CHECK(Executions(db).update(*latest));
      return ChainedStarts(db).add_after(flow, latest->status, clock.time);
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

TEST_F(AfterTest, ACircleIsRefusedAndNamesItself) {
  define_flow("g", {.after = "f"});
  define_flow("h", {.after = "g"});
  const auto refused = catalog->write([&](db::Connection& db) {
    return Flows(db).define(flow, {.target = "machines/m", .repository = "r", .after = "h"}, clock.time);
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EINVAL);
  EXPECT_THAT(refused.error().message, HasSubstr("'f' after 'h' after 'g' after 'f'"));
}

}  // namespace
}  // namespace holdfast::schedule
