// Tests that a schedule's times become runs, each once, whatever happens to the clock and to the process.
#include <sys/wait.h>
#include <unistd.h>

#include "tests/schedule/fixture.h"

namespace holdfast::schedule {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

TEST_F(AgendaTest, a_nightly_schedule_makes_a_run_each_night_of_a_year) {
  define_schedule("s", {.cron = "30 2 * * *", .timezone = "Europe/Berlin"});
  live_until("2027-01-01T00:00:00Z");
  EXPECT_THAT(history(), SizeIs(365));
  EXPECT_THAT(history(), testing::Each(EndsWith(" started")));
  EXPECT_THAT(history(), testing::Contains("2026-03-29T01:00:00Z started"));  // 02:30 does not exist that day
  EXPECT_THAT(history(), testing::Contains("2026-10-25T00:30:00Z started"));  // 02:30 exists twice that day
  const auto runs = executions(flow);
  ASSERT_THAT(runs, SizeIs(365));
  EXPECT_EQ(runs.front().type, ExecutionType::scheduled);
  EXPECT_EQ(runs.front().by_name, "schedules/s");
}

TEST_F(AgendaTest, the_next_look_is_due_when_the_next_time_comes) {
  EXPECT_EQ(look(), parse_iso_time("2026-01-01T02:00:00Z").value());
  EXPECT_THAT(history(), IsEmpty());
  look_at("2026-01-01T01:59:59Z");
  EXPECT_THAT(history(), IsEmpty());
  look_at("2026-01-01T02:00:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z started"));
}

TEST_F(AgendaTest, a_changed_schedule_is_followed_at_once_and_a_disabled_one_never) {
  look();
  define_schedule("s", {.cron = "0 1 * * *"});
  EXPECT_EQ(look(), parse_iso_time("2026-01-01T01:00:00Z").value());
  define_schedule("s", {.cron = "0 1 * * *", .enabled = false});
  EXPECT_EQ(look(), std::nullopt);
  look_at("2026-01-05T00:00:00Z");
  define_schedule("s", {.cron = "0 1 * * *"});
  EXPECT_EQ(look(), parse_iso_time("2026-01-05T01:00:00Z").value());
  EXPECT_THAT(history(), IsEmpty());
}

TEST_F(AgendaTest, a_disabled_flow_is_skipped) {
  define_flow("f", {.enabled = false, .schedule = "s"});
  live_until("2026-01-01T12:00:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z skipped disabled"));
  EXPECT_EQ(last_event(), "flow.skip flows/f disabled");
}

TEST_F(AgendaTest, a_start_in_a_blackout_is_skipped) {
  define_schedule("s", {.every = 6h, .blackout = {"11:00-13:00"}});
  live_until("2026-01-01T19:00:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T06:00:00Z started", "2026-01-01T12:00:00Z skipped blackout",
                                     "2026-01-01T18:00:00Z started"));
}

TEST_F(AgendaTest, a_start_while_the_daemon_drains_is_skipped) {
  look();
  starter.draining = true;
  look_at("2026-01-01T02:00:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z skipped draining"));
}

TEST_F(AgendaTest, a_refused_start_is_skipped_with_an_event_that_says_why) {
  look();
  starter.refusal = "machines/m is not his to use";
  look_at("2026-01-01T02:00:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z skipped refused"));
  EXPECT_EQ(last_event(), "flow.skip flows/f refused: machines/m is not his to use");
  EXPECT_THAT(executions(flow), IsEmpty());
}

TEST_F(AgendaTest, jitter_delays_starts_and_a_restart_repeats_none) {
  define_schedule("s", {.cron = "0 2 * * *", .jitter = 1h});
  look();
  look_at("2026-01-01T02:00:00Z");
  const auto moment = Timetable::of({.cron = "0 2 * * *", .jitter = 1h})->start(clock.now(), schedule, flow);
  ASSERT_GT(moment, clock.now());
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z planned"));
  begin_again();
  EXPECT_EQ(look(), moment);
  clock.set(moment);
  look();
  begin_again();
  look();
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z started"));
  EXPECT_THAT(starter.started, SizeIs(1));
}

TEST_F(AgendaTest, a_deleted_flow_or_schedule_takes_its_starts_along) {
  define_schedule("s", {.cron = "0 2 * * *", .jitter = 1h});
  look();
  look_at("2026-01-01T02:00:00Z");
  write([&](db::Connection& db) { return Flows(db).remove(flow); });
  look_at("2026-01-01T03:00:00Z");
  EXPECT_THAT(starter.started, IsEmpty());
  write([&](db::Connection& db) { return Schedules(db).remove(schedule); });
  EXPECT_EQ(look(), std::nullopt);
}

TEST_F(AgendaTest, the_history_of_a_schedule_is_bounded) {
  write([&](db::Connection& db) -> Result<> {
    for (int i = 0; i < 10'500; ++i)
      HF_CHECK(Occurrences(db).add({new_id(), schedule, flow, Time{std::chrono::seconds{i}},
                                    OccurrenceStatus::missed, OccurrenceReason::daemon_was_down}));
    return {};
  });
  live_until("2026-01-02T12:00:00Z");
  EXPECT_THAT(history(0, 20'000), SizeIs(10'000));
}

// Missed times.

TEST_F(AgendaTest, the_last_time_missed_while_the_daemon_was_down_is_made_up_for) {
  look();
  clock.set(*parse_iso_time("2026-01-03T12:00:00Z"));
  begin_again();
  look();
  EXPECT_THAT(history(),
              ElementsAre("2026-01-01T02:00:00Z missed daemon_was_down",
                          "2026-01-02T02:00:00Z missed daemon_was_down", "2026-01-03T02:00:00Z started"));
  EXPECT_EQ(look(), parse_iso_time("2026-01-04T02:00:00Z").value());
}

TEST_F(AgendaTest, a_schedule_that_skips_makes_up_for_no_missed_time) {
  define_schedule("s", {.cron = "0 2 * * *", .missed = MissedAction::skip});
  look();
  clock.set(*parse_iso_time("2026-01-02T02:00:30Z"));  // soon after, but in another process
  begin_again();
  look();
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z missed daemon_was_down",
                                     "2026-01-02T02:00:00Z missed daemon_was_down"));
  EXPECT_EQ(last_event(), "flow.miss flows/f daemon_was_down");
}

TEST_F(AgendaTest, a_year_of_missed_minutes_is_recorded_by_its_newest_times) {
  define_schedule("s", {.cron = "* * * * *"});
  look();
  clock.set(*parse_iso_time("2026-12-31T23:59:00Z"));
  begin_again();
  look();
  const auto told = history();
  ASSERT_THAT(told, SizeIs(20));
  EXPECT_EQ(told.front(), "2026-12-31T23:40:00Z missed daemon_was_down");
  EXPECT_EQ(told.back(), "2026-12-31T23:59:00Z started");
}

TEST_F(AgendaTest, a_missed_time_in_a_blackout_is_not_made_up_for) {
  define_schedule("s", {.every = 6h, .blackout = {"11:00-13:00"}});
  look();
  clock.set(*parse_iso_time("2026-01-01T14:00:00Z"));
  begin_again();
  look();
  EXPECT_THAT(history(),
              ElementsAre("2026-01-01T06:00:00Z started", "2026-01-01T12:00:00Z skipped blackout"));
}

TEST_F(AgendaTest, a_time_planned_by_an_earlier_process_is_missed_if_the_schedule_skips) {
  define_schedule("s", {.cron = "0 2 * * *", .jitter = 1h, .missed = MissedAction::skip});
  look();
  look_at("2026-01-01T02:00:00Z");
  clock.set(*parse_iso_time("2026-01-01T12:00:00Z"));
  begin_again();
  look();
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z missed daemon_was_down"));
}

// Clocks that jump.

TEST_F(AgendaTest, a_clock_put_forward_makes_no_burst_of_starts) {
  define_schedule("s", {.cron = "0 * * * *"});
  look();
  look_at("2026-01-04T12:30:00Z");
  const auto told = history();
  EXPECT_THAT(told, SizeIs(20));
  EXPECT_EQ(told.back(), "2026-01-04T12:00:00Z started");
  EXPECT_EQ(told[18], "2026-01-04T11:00:00Z missed passed_over");
  EXPECT_THAT(starter.started, SizeIs(1));
  EXPECT_EQ(look(), parse_iso_time("2026-01-04T13:00:00Z").value());
}

TEST_F(AgendaTest, a_clock_put_forward_starts_nothing_if_the_schedule_skips) {
  define_schedule("s", {.cron = "0 * * * *", .missed = MissedAction::skip});
  look();
  look_at("2026-01-01T03:30:00Z");
  EXPECT_THAT(history(), ElementsAre("2026-01-01T01:00:00Z missed passed_over",
                                     "2026-01-01T02:00:00Z missed passed_over",
                                     "2026-01-01T03:00:00Z missed passed_over"));
}

TEST_F(AgendaTest, a_clock_put_back_repeats_no_start_and_delays_none) {
  define_schedule("s", {.cron = "0 * * * *"});
  live_until("2026-01-01T05:30:00Z");
  ASSERT_THAT(starter.started, SizeIs(5));
  clock.set(*parse_iso_time("2026-01-01T02:30:00Z"));
  end_runs();
  EXPECT_EQ(look(), parse_iso_time("2026-01-01T03:00:00Z").value());  // not 06:00
  live_until("2026-01-01T05:45:00Z");
  EXPECT_THAT(starter.started, SizeIs(5));
  EXPECT_THAT(history(), SizeIs(5));
  live_until("2026-01-01T06:45:00Z");
  EXPECT_EQ(history().back(), "2026-01-01T06:00:00Z started");
}

TEST_F(AgendaTest, a_clock_put_back_to_times_that_never_were_starts_them) {
  look_at("2026-06-01T00:00:00Z");
  const auto before = starter.started.size();
  clock.set(*parse_iso_time("2025-06-01T00:00:00Z"));
  define_schedule("s", {.cron = "0 2 * * *", .missed = MissedAction::skip});
  live_until("2025-06-02T12:00:00Z");
  EXPECT_EQ(starter.started.size(), before + 2);
}

TEST_F(AgendaTest, an_earlier_process_with_a_clock_far_ahead_does_not_silence_this_one) {
  look_at("2099-01-01T00:00:00Z");
  clock.set(*parse_iso_time("2026-01-01T00:00:00Z"));
  begin_again();
  EXPECT_EQ(look(), parse_iso_time("2026-01-01T02:00:00Z").value());
}

// A process that is really killed.

class KilledTest : public AgendaTest {
 protected:
  // Ends the agenda's life in another process, in the middle of a start.
  void die_at(const char* time, bool before_commit) {
    look();
    catalog.reset();
    const pid_t child = fork();
    if (child == 0) {
      catalog = *Catalog::open(folder / "catalog.sqlite");
      begin_again();
      (before_commit ? starter.before_commit : starter.after_commit) = [] { _exit(42); };
      look();
      clock.set(*parse_iso_time(time));
      look();
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 42);
    catalog = *Catalog::open(folder / "catalog.sqlite");
    clock.set(*parse_iso_time(time));
    begin_again();
  }
};

TEST_F(KilledTest, a_kill_between_a_time_and_its_execution_starts_it_once_after_the_restart) {
  die_at("2026-01-01T02:00:00Z", true);
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z planned"));
  EXPECT_THAT(executions(flow), IsEmpty());
  look();
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z started"));
  EXPECT_THAT(executions(flow), SizeIs(1));
}

TEST_F(KilledTest, a_kill_after_the_recorded_start_starts_nothing_again) {
  die_at("2026-01-01T02:00:00Z", false);
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z started"));
  end_runs(RunStatus::error);  // as a start does with unfinished runs
  look();
  EXPECT_THAT(history(), ElementsAre("2026-01-01T02:00:00Z started"));
  EXPECT_THAT(executions(flow), SizeIs(1));
}

}  // namespace
}  // namespace holdfast::schedule
