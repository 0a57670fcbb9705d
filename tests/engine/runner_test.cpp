// Tests of what the workers and the watchdog do with jobs: retry, give up, end. Pauses are short enough for a
// test.
#include "engine/runs/runner.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <thread>

#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "engine/capture/patience.h"
#include "tests/engine/engine_room.h"

namespace holdfast::runs {
namespace {

using namespace std::chrono_literals;

using test::kNow;

class RunnerTest : public testing::Test, protected test::EngineRoom {
 protected:
  RunnerTest() {
    const auto made = catalog_->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Machine machine, Machines(db).add("m", {}, kNow));
      HF_CHECK(Machines(db).define(machine.id, {.driver = "qmp", .disks = {{"d"}}}, kNow));
      HF_TRY(const Repository repository, Repositories(db).add("r", {}, kNow));
      HF_CHECK(Repositories(db).define(repository.id, {.path = "/srv/backup"}, kNow));
      HF_TRY(const Flow flow, Flows(db).add("f", {}, kNow));
      flow_ = flow.id;
      HF_CHECK(Flows(db).define(flow.id, {.target = "machines/m", .repository = "r"}, kNow));
      return Executions(db).add(
          {.id = course_->execution, .flow_id = flow.id, .name = "r1", .created_at = kNow});
    });
    EXPECT_TRUE(made) << made.error().message;
    runner_.set_limit(2);
  }

  // Records a job of the execution and returns its work.
  Work work(decltype(Work::perform) perform) {
    Job job = new_job(JobType::backup, "", kNow);
    job.execution_id = course_->execution;
    const auto added = catalog_->write([&](db::Connection& db) { return add_to_execution(db, job); });
    EXPECT_TRUE(added) << added.error().message;
    return {.job = job.id, .course = course_, .flow = flow_, .name = "r1", .perform = std::move(perform)};
  }
  // Adds jobs that are all recorded by now, because an execution ends with its last job.
  void add_all(std::vector<Work> works) {
    for (Work& one : works) runner_.add(std::move(one));
  }
  Execution await_end() {
    std::optional<Execution> ended;
    while (!(ended = look(), is_final(ended->status))) std::this_thread::sleep_for(1ms);
    return *ended;
  }
  Execution look() {
    return *catalog_->read([&](db::Connection& db) { return Executions(db).get(course_->execution); });
  }
  std::string log() {
    const auto lines =
        catalog_->read([&](db::Connection& db) { return Logs(db).of_execution(course_->execution, 0, 100); });
    std::string text;
    for (const auto& line : lines.value()) text += line.text + "\n";
    return text;
  }
  // Performs until it is cancelled.
  static Result<JobEnd> forever(ProgressMeter&, const source::Cancel& cancel) {
    HF_CHECK(capture::wait_until(std::chrono::steady_clock::now() + 1h, &cancel));
    return JobEnd{};
  }

  Id flow_ = 0;
  std::shared_ptr<Course> course_ = std::make_shared<Course>(Course{.execution = new_id(), .name = "r1"});
  std::atomic<int> tries_ = 0, ended_ = 0;
  Runner runner_{services_, nobody_, {.first = 5ms, .longest = 10ms}, [this](const Execution&) { ++ended_; }};
};

TEST_F(RunnerTest, a_failure_that_may_pass_is_retried_and_logged) {
  Work one = work([this](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    if (++tries_ < 3) return fail(EHOSTUNREACH, "nobody answers");
    return JobEnd{};
  });
  one.retries = 2;
  runner_.add(std::move(one));
  EXPECT_EQ(await_end().status, RunStatus::success);
  EXPECT_EQ(tries_, 3);
  EXPECT_NE(log().find("failed: nobody answers; it is tried again in 1 s (2 of 2)"), std::string::npos)
      << log();
}

TEST_F(RunnerTest, a_job_that_fails_at_every_retry_ends_as_error) {
  Work one = work([this](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    ++tries_;
    return fail(EHOSTUNREACH, "nobody answers");
  });
  one.retries = 2;
  runner_.add(std::move(one));
  const Execution ended = await_end();
  EXPECT_EQ(ended.reason, EndReason::source_unreachable);
  EXPECT_EQ(ended.message, "nobody answers (tried 3 times)");
  EXPECT_EQ(tries_, 3);
}

TEST_F(RunnerTest, a_refusal_is_not_retried) {
  Work one = work([this](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    ++tries_;
    return fail(EROFS, "it is read-only");
  });
  one.retries = 5;
  runner_.add(std::move(one));
  EXPECT_EQ(await_end().status, RunStatus::error);
  EXPECT_EQ(tries_, 1);
}

TEST_F(RunnerTest, a_cancel_ends_the_pause_before_a_retry) {
  Runner patient(services_, nobody_, {.first = 1h, .longest = 1h}, [](const Execution&) {});
  patient.set_limit(1);
  Work one = work([this](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    ++tries_;
    return fail(EHOSTUNREACH, "nobody answers");
  });
  one.retries = 1;
  const Id job = one.job;
  patient.add(std::move(one));
  while (log().find("tried again") == std::string::npos) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(look().status, RunStatus::running);
  while (patient.waits_for(job) != WaitReason::retry) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(patient.cancel(job));
  EXPECT_EQ(await_end().status, RunStatus::cancelled);
  EXPECT_EQ(tries_, 1);
}

// Accepted work is visible, and can be cancelled, before it is added. Recording another job makes that span
// long here.
TEST_F(RunnerTest, a_cancel_of_an_execution_before_its_jobs_are_added_is_not_lost) {
  const auto until_cancelled = [](ProgressMeter&, const source::Cancel& cancel) -> Result<JobEnd> {
    HF_CHECK(capture::wait_until(std::chrono::steady_clock::now() + 20s, &cancel));
    return JobEnd{};
  };
  auto admission = runner_.admit().value();
  std::latch cancels{1};
  std::thread accepts([&] {
    cancels.wait();
    add_all({work(until_cancelled), work(until_cancelled)});
    admission = {};
  });
  cancels.count_down();
  runner_.cancel_execution(course_->execution);
  accepts.join();
  EXPECT_EQ(await_end().status, RunStatus::cancelled);
}

TEST_F(RunnerTest, a_cancel_of_a_job_before_it_is_added_is_not_lost) {
  auto admission = runner_.admit().value();
  Work one = work(forever);
  const Id job = one.job;
  std::latch cancels{1};
  std::thread accepts([&] {
    cancels.wait();
    (void)work(forever);
    runner_.add(std::move(one));
    admission = {};
  });
  cancels.count_down();
  EXPECT_TRUE(runner_.cancel(job));
  accepts.join();
  EXPECT_EQ(runner_.cancel(new_id()).error().code, EINVAL);
}

TEST_F(RunnerTest, a_cancel_of_one_job_leaves_jobs_added_after_it) {
  auto admission = runner_.admit().value();
  Work one = work(forever),
       other = work([](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> { return JobEnd{}; });
  const Id job = one.job;
  runner_.add(std::move(one));
  EXPECT_TRUE(runner_.cancel(job));
  runner_.add(std::move(other));
  admission = {};
  const Execution ended = await_end();
  EXPECT_EQ(ended.status, RunStatus::warning);
  EXPECT_EQ(ended.jobs_completed, 1);
}

TEST_F(RunnerTest, a_job_that_waits_for_a_retry_frees_its_place) {
  Runner patient(services_, nobody_, {.first = 1h, .longest = 1h}, [](const Execution&) {});
  patient.set_limit(1);
  Work one = work([](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> { return fail(EIO, "away"); });
  one.retries = 1;
  one.machine = 7;
  Work other = work([this](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    ++tries_;
    return JobEnd{};
  });
  other.machine = 7;
  patient.add(std::move(one));
  patient.add(std::move(other));
  while (tries_ == 0) std::this_thread::sleep_for(1ms);
}

TEST_F(RunnerTest, a_waiting_job_says_what_it_waits_for) {
  runner_.set_limit_of(/*repository*/ 8, 1);
  std::atomic<bool> is_opening = false, opens = false;
  course_->before = [&](const source::Cancel&) -> std::optional<JobEnd> {
    is_opening = true;
    while (!opens) std::this_thread::sleep_for(1ms);
    return std::nullopt;
  };
  std::vector<Work> works;
  std::vector<Id> jobs;
  for (int i = 0; i < 4; ++i) {
    works.push_back(work(forever));
    jobs.push_back(works.back().job);
  }
  works[0].machine = works[1].machine = 7;
  works[0].repository = works[2].repository = 8;
  runner_.add(std::move(works[0]));
  while (!is_opening) std::this_thread::sleep_for(1ms);
  runner_.add(std::move(works[1]));
  EXPECT_EQ(runner_.waits_for(jobs[1]), WaitReason::hooks);
  opens = true;
  while (runner_.waits_for(jobs[1]) == WaitReason::hooks) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(runner_.waits_for(jobs[1]), WaitReason::machine_busy);
  runner_.add(std::move(works[2]));
  EXPECT_EQ(runner_.waits_for(jobs[2]), WaitReason::max_jobs);
  runner_.set_limit(1);
  runner_.add(std::move(works[3]));
  EXPECT_EQ(runner_.waits_for(jobs[3]), WaitReason::max_concurrent_jobs);
  EXPECT_EQ(runner_.waits_for(jobs[0]), std::nullopt) << "it runs";
  runner_.cancel_execution(course_->execution);
  await_end();
  for (const Id job : jobs) EXPECT_EQ(runner_.waits_for(job), std::nullopt);
}

TEST_F(RunnerTest, a_place_is_wanted_while_a_job_waits_for_it_and_not_for_one_that_gives_way) {
  runner_.set_limit_of(/*repository*/ 8, 1);
  std::vector<Work> works;
  std::vector<Id> jobs;
  for (int i = 0; i < 4; ++i) {
    works.push_back(work(forever));
    jobs.push_back(works.back().job);
  }
  works[0].repository = works[1].repository = works[2].repository = 8;
  works[1].priority = kAfterAllOthers;
  runner_.add(std::move(works[0]));
  runner_.add(std::move(works[1]));
  // The second job waits once the first one has begun.
  while (runner_.waits_for(jobs[1]) != WaitReason::max_jobs) std::this_thread::sleep_for(1ms);
  EXPECT_FALSE(runner_.is_place_wanted(8));
  runner_.add(std::move(works[2]));
  EXPECT_TRUE(runner_.is_place_wanted(8));
  EXPECT_FALSE(runner_.is_place_wanted(9)) << "there is room for another repository's jobs";
  runner_.set_limit(1);
  runner_.add(std::move(works[3]));
  EXPECT_TRUE(runner_.is_place_wanted(9));
  runner_.cancel_execution(course_->execution);
  await_end();
}

TEST_F(RunnerTest, a_job_without_progress_is_ended_and_one_that_moves_is_not) {
  Work still = work(forever);
  still.stall = 2s;
  // A busy machine may keep even the moving job from moving: its longest pause tells.
  std::atomic<std::chrono::nanoseconds> longest_pause{};
  Work moving = work([&](ProgressMeter& progress, const source::Cancel& cancel) -> Result<JobEnd> {
    for (int i = 0; i < 60; ++i) {
      progress.advance(1);
      const auto moved_at = progress.moved_at();
      const auto waited = capture::wait_until(moved_at + 50ms, &cancel);
      longest_pause = std::max(longest_pause.load(), std::chrono::steady_clock::now() - moved_at);
      HF_CHECK(waited);
    }
    return JobEnd{};
  });
  moving.stall = 2s;
  runner_.add(std::move(still));
  runner_.add(std::move(moving));
  const Execution ended = await_end();
  EXPECT_EQ(ended.reason, EndReason::stalled);
  if (longest_pause.load() >= 2s) return;
  EXPECT_EQ(ended.status, RunStatus::warning);
  EXPECT_EQ(ended.jobs_completed, 1);
}

TEST_F(RunnerTest, a_job_that_ignores_its_cancel_is_ended_in_the_catalog) {
  Runner hasty(services_, nobody_, {.patience = 50ms}, [this](const Execution&) { ++ended_; });
  hasty.set_limit(1);
  std::atomic<bool> hangs = true;
  Work stuck = work([&](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    while (hangs) std::this_thread::sleep_for(1ms);
    return JobEnd{};
  });
  stuck.machine = 7;
  stuck.stall = 1s;
  hasty.add(std::move(stuck));
  const Execution ended = await_end();
  EXPECT_EQ(ended.status, RunStatus::error);
  EXPECT_EQ(ended.reason, EndReason::stalled);
  EXPECT_NE(ended.message.find("the job still hangs"), std::string::npos) << ended.message;
  EXPECT_FALSE(hasty.claim(7)) << "nobody else may have its machine meanwhile";
  hangs = false;
  hasty.stop();
  EXPECT_TRUE(hasty.claim(7));
  EXPECT_EQ(look().reason, EndReason::stalled);
  EXPECT_EQ(ended_, 1);
}

TEST_F(RunnerTest, a_job_that_ignores_its_cancel_gives_its_place_to_others) {
  Runner hasty(services_, nobody_, {.patience = 50ms}, [](const Execution&) {});
  hasty.set_limit(1);
  hasty.set_limit_of(/*repository*/ 8, 1);
  auto admission = hasty.admit().value();  // more jobs of the execution will come
  std::atomic<bool> hangs = true;
  std::atomic<int> hanging = 0;
  std::vector<Work> stuck;
  for (int i = 0; i < 3; ++i) {
    stuck.push_back(work([&](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
      ++hanging;
      while (hangs) std::this_thread::sleep_for(1ms);
      return JobEnd{};
    }));
    stuck.back().repository = 8;
  }
  std::atomic<int> at_once = 0, most = 0;
  std::vector<Work> sound;
  for (int i = 0; i < 3; ++i)
    sound.push_back(work([&](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
      most = std::max(most.load(), ++at_once);
      std::this_thread::sleep_for(5ms);
      --at_once;
      ++tries_;
      return JobEnd{};
    }));
  for (Work& one : stuck) {
    const Id job = one.job;
    const int before = hanging;
    hasty.add(std::move(one));
    while (hanging == before) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(hasty.cancel(job));
  }
  for (Work& one : sound) hasty.add(std::move(one));
  while (tries_ < 3) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(most, 1) << "the limit holds for those that don't hang";
  hangs = false;
  admission = {};
  hasty.stop();
}

TEST_F(RunnerTest, a_timeout_ends_the_running_and_the_waiting_jobs_of_the_execution) {
  course_->timeout = 1s;
  runner_.set_limit(1);
  add_all({work(forever), work(forever)});
  const Execution ended = await_end();
  EXPECT_EQ(ended.status, RunStatus::error);
  EXPECT_EQ(ended.reason, EndReason::timed_out);
  EXPECT_EQ(ended.jobs_failed, 2);
}

TEST_F(RunnerTest, hooks_run_once_before_all_jobs_and_once_after_with_the_result) {
  std::atomic<int> before = 0;
  std::optional<RunStatus> seen;
  course_->before = [&](const source::Cancel&) {
    ++before;
    return std::optional<JobEnd>{};
  };
  course_->after = [&](const Execution& ending, const source::Cancel&) {
    seen = ending.status;
    return std::string{"it could not be told"};
  };
  const auto perform = [&](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    EXPECT_EQ(before, 1);
    return JobEnd{};
  };
  add_all({work(perform), work(perform), work(perform), work(perform)});
  const Execution ended = await_end();
  runner_.stop();
  EXPECT_EQ(seen, RunStatus::success);
  EXPECT_EQ(ended.status, RunStatus::warning);
  EXPECT_EQ(ended.reason, EndReason::hook_failed);
  EXPECT_EQ(ended_, 1);
}

TEST_F(RunnerTest, hooks_before_the_jobs_may_refuse_all_of_them) {
  course_->before = [](const source::Cancel&) {
    return std::optional<JobEnd>{
        {.status = RunStatus::cancelled, .reason = EndReason::condition_not_met, .message = "not now"}};
  };
  add_all({work(forever), work(forever), work(forever)});
  const Execution ended = await_end();
  EXPECT_EQ(ended.status, RunStatus::cancelled);
  EXPECT_EQ(ended.reason, EndReason::condition_not_met);
  EXPECT_EQ(ended.jobs_skipped, 3);
}

// Law 16: no job stays `running` because the catalog could not be written to for a while.
TEST_F(RunnerTest, an_end_that_cannot_be_recorded_is_retried_until_it_can) {
  const auto other = db::Connection::open(state_ / "catalog.sqlite", db::Mode::read_write).value();
  std::atomic<bool> begun = false, ends = false;
  Work one = work([&](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
    begun = true;
    while (!ends) std::this_thread::sleep_for(1ms);
    return JobEnd{};
  });
  one.next = [this](db::Connection&, const JobEnd&) -> Result<std::optional<Work>> {
    ++tries_;
    return std::nullopt;
  };
  runner_.add(std::move(one));
  while (!begun || look().status != RunStatus::running) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(other->execute_script("ALTER TABLE log_lines RENAME TO elsewhere"));
  ends = true;
  while (tries_ < 2) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(look().status, RunStatus::running);
  ASSERT_TRUE(other->execute_script("ALTER TABLE elsewhere RENAME TO log_lines"));
  EXPECT_EQ(await_end().status, RunStatus::success);
}

TEST_F(RunnerTest, work_that_follows_a_job_belongs_to_its_execution) {
  Work one = work([](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> { return JobEnd{}; });
  one.next = [this](db::Connection& db, const JobEnd&) -> Result<std::optional<Work>> {
    Job job = new_job(JobType::verify, "", kNow);
    job.execution_id = course_->execution;
    HF_CHECK(add_to_execution(db, job));
    return Work{.job = job.id,
                .course = course_,
                .name = "r1",
                .perform = [](ProgressMeter&, const source::Cancel&) -> Result<JobEnd> {
                  return JobEnd{
                      .status = RunStatus::error, .reason = EndReason::damaged, .message = "damaged"};
                }};
  };
  runner_.add(std::move(one));
  const Execution ended = await_end();
  EXPECT_EQ(ended.status, RunStatus::warning);
  EXPECT_EQ(ended.reason, EndReason::damaged);
  EXPECT_EQ(ended.jobs_created, 2);
}

}  // namespace
}  // namespace holdfast::runs
