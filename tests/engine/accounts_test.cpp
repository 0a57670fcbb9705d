#include "engine/runs/accounts.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "catalog/catalog.h"
#include "catalog/stores/events.h"
#include "catalog/stores/executions.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/settings_store.h"
#include "tests/lib/new_catalog.h"

namespace holdfast::runs {
namespace {

namespace fs = std::filesystem;

const Time kCreated{std::chrono::milliseconds{1'700'000'000'000}};
const Time kLater = kCreated + std::chrono::seconds{10};

// A catalog with one flow and one execution, which has as many jobs as the test wants.
class AccountsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "holdfast-accounts-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    catalog_ = test::open_new_catalog(folder_ + "/catalog.sqlite");
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      HF_TRY(const auto machine, Machines(db).add("m", {}, kCreated));
      HF_CHECK(Machines(db).define(machine.id, {.driver = "qmp", .disks = {{"disk-0"}}}, kCreated));
      HF_TRY(const auto repository, Repositories(db).add("r", {}, kCreated));
      HF_CHECK(Repositories(db).define(repository.id, {.path = "/srv/backup"}, kCreated));
      HF_TRY(const auto flow, Flows(db).add("f", {}, kCreated));
      flow_ = flow.id;
      return Flows(db).define(flow_, {.target = "machines/m", .repository = "r"}, kCreated);
    }));
  }
  void TearDown() override {
    catalog_.reset();
    fs::remove_all(folder_);
  }

  template <class T>
  static void must(const Result<T>& result) {
    ASSERT_TRUE(result) << result.error().message;
  }

  void make_execution(std::size_t jobs, const std::string& name = "r1") {
    jobs_.clear();
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      execution_ = new_id();
      HF_CHECK(
          Executions(db).add({.id = execution_, .flow_id = flow_, .name = name, .created_at = kCreated}));
      for (std::size_t i = 0; i < jobs; ++i) {
        jobs_.push_back(new_id());
        HF_CHECK(Jobs(db).add({.id = jobs_.back(),
                               .name = std::to_string(jobs_.back()),
                               .owner = "flows/f",
                               .execution_id = execution_,
                               .created_at = kCreated}));
      }
      return {};
    }));
  }

  Execution execution() {
    return *catalog_->read([&](db::Connection& db) { return Executions(db).get(execution_); });
  }

  // Starts all jobs, then ends each as given.
  Execution run_to(const std::vector<JobEnd>& ends, const std::string& name = "r1") {
    make_execution(ends.size(), name);
    must(catalog_->write([&](db::Connection& db) -> Result<> {
      for (const Id job : jobs_) HF_CHECK(job_started(db, job, kCreated));
      for (std::size_t i = 0; i < ends.size(); ++i) {
        HF_TRY(const bool last, job_ended(db, jobs_[i], ends[i], kLater));
        EXPECT_EQ(last, i + 1 == ends.size());
      }
      HF_CHECK(end_execution(db, execution_, EndReason::hook_failed, remark_, kLater));
      return {};
    }));
    return execution();
  }

  std::string folder_;
  std::unique_ptr<Catalog> catalog_;
  Id flow_ = 0, execution_ = 0;
  std::vector<Id> jobs_;
  std::string remark_;
};

const JobEnd kGood{.status = RunStatus::success, .bytes_read = 10, .bytes_stored = 5};
const JobEnd kWarned{
    .status = RunStatus::warning, .reason = EndReason::unplanned_full, .message = "read whole"};
const JobEnd kFailed{.status = RunStatus::error, .reason = EndReason::failed, .message = "no such socket"};
const JobEnd kCancelled{
    .status = RunStatus::cancelled, .reason = EndReason::cancelled, .message = "cancelled"};

TEST_F(AccountsTest, all_jobs_good_make_a_success_with_the_sums_of_the_jobs) {
  const Execution ended = run_to({kGood, kGood});
  EXPECT_EQ(ended.status, RunStatus::success);
  EXPECT_EQ(ended.reason, std::nullopt);
  EXPECT_EQ(ended.jobs_completed, 2);
  EXPECT_EQ(ended.bytes_read, 20U);
  EXPECT_EQ(ended.bytes_stored, 10U);
  EXPECT_EQ(ended.started_at, kCreated);
  EXPECT_EQ(ended.completed_at, kLater);
}

TEST_F(AccountsTest, one_job_with_a_warning_makes_the_execution_a_warning) {
  const Execution ended = run_to({kGood, kWarned});
  EXPECT_EQ(ended.status, RunStatus::warning);
  EXPECT_EQ(ended.reason, EndReason::unplanned_full);
}

TEST_F(AccountsTest, some_failed_jobs_make_a_warning_with_the_sentence_of_the_first) {
  const Execution ended = run_to({kGood, kFailed});
  EXPECT_EQ(ended.status, RunStatus::warning);
  EXPECT_EQ(ended.message, "no such socket");
  EXPECT_EQ(ended.jobs_failed, 1);
}

TEST_F(AccountsTest, all_jobs_failed_make_an_error) {
  EXPECT_EQ(run_to({kFailed, kFailed}).status, RunStatus::error);
}

TEST_F(AccountsTest, all_jobs_cancelled_make_it_cancelled) {
  const Execution ended = run_to({kCancelled});
  EXPECT_EQ(ended.status, RunStatus::cancelled);
  EXPECT_EQ(ended.reason, EndReason::cancelled);
}

TEST_F(AccountsTest, a_remark_around_the_jobs_turns_only_a_success_into_a_warning) {
  remark_ = "the hook 'tell' failed";
  const Execution warned = run_to({kGood});
  EXPECT_EQ(warned.status, RunStatus::warning);
  EXPECT_EQ(warned.reason, EndReason::hook_failed);
  EXPECT_EQ(warned.message, remark_);
  EXPECT_EQ(run_to({kFailed}, "r2").status, RunStatus::error);
  EXPECT_EQ(execution().reason, EndReason::failed);
}

TEST_F(AccountsTest, a_failed_verification_makes_a_warning_and_counts_no_machine) {
  make_execution(1);
  must(catalog_->write([&](db::Connection& db) -> Result<> {
    Job check = new_job(JobType::verify, "", kCreated);
    check.execution_id = execution_;
    HF_CHECK(add_to_execution(db, check));
    HF_TRY(const bool first_is_last, job_ended(db, jobs_[0], kGood, kLater));
    EXPECT_FALSE(first_is_last);
    HF_CHECK(job_ended(db, check.id,
                       {.status = RunStatus::error, .reason = EndReason::damaged, .message = "damaged"},
                       kLater));
    HF_CHECK(end_execution(db, execution_, EndReason::failed, "", kLater));
    return {};
  }));
  EXPECT_EQ(execution().status, RunStatus::warning);
  EXPECT_EQ(execution().reason, EndReason::damaged);
  EXPECT_EQ(execution().jobs_created, 1) << "the first was not counted when the test made it";
  EXPECT_EQ(execution().machines_processed, 1);
}

TEST_F(AccountsTest, an_execution_runs_until_its_last_job_has_ended) {
  make_execution(2);
  must(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_CHECK(job_started(db, jobs_[0], kCreated));
    HF_TRY(const auto ended, job_ended(db, jobs_[0], kGood, kLater));
    EXPECT_FALSE(ended);
    return {};
  }));
  EXPECT_EQ(execution().status, RunStatus::running);
}

TEST_F(AccountsTest, a_final_state_never_changes) {
  run_to({kGood});
  const auto again =
      catalog_->write([&](db::Connection& db) { return job_ended(db, jobs_[0], kFailed, kLater); });
  EXPECT_FALSE(again);
  EXPECT_EQ(execution().status, RunStatus::success);
}

TEST_F(AccountsTest, rows_left_running_by_an_earlier_process_end_as_interrupted) {
  make_execution(2);
  must(catalog_->write([&](db::Connection& db) { return job_started(db, jobs_[0], kCreated); }));
  const auto count = catalog_->write([&](db::Connection& db) { return end_interrupted(db, kLater); });
  ASSERT_TRUE(count) << count.error().message;
  EXPECT_EQ(execution().status, RunStatus::error);
  EXPECT_EQ(execution().reason, EndReason::interrupted);
  const Job job = *catalog_->read([&](db::Connection& db) { return Jobs(db).get(jobs_[1]); });
  EXPECT_EQ(job.status, RunStatus::error) << "also the one that had not begun";
  EXPECT_EQ(job.reason, EndReason::interrupted);
}

TEST_F(AccountsTest, an_execution_left_without_jobs_ends_as_interrupted_too) {
  make_execution(0);
  must(catalog_->write([&](db::Connection& db) { return end_interrupted(db, kLater); }));
  EXPECT_EQ(execution().reason, EndReason::interrupted);
}

TEST_F(AccountsTest, many_jobs_end_at_once_with_the_executions_of_which_no_job_is_left) {
  const JobEnd stopped{.status = RunStatus::error, .reason = EndReason::interrupted, .message = "stopped"};
  make_execution(2, "r1");
  const std::vector<Id> first = jobs_;
  const Id first_execution = execution_;
  must(catalog_->write([&](db::Connection& db) { return job_ended(db, first[0], kGood, kLater); }));
  must(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_CHECK(Jobs(db).add({.id = 7, .name = "alone", .created_at = kCreated}));
    HF_TRY(const auto ended, jobs_ended(db, {{first[1], stopped}, {7, stopped}}, kLater));
    EXPECT_EQ(ended.size(), 1U);
    EXPECT_EQ(ended.at(0).id, first_execution);
    EXPECT_EQ(ended.at(0).status, RunStatus::warning);
    EXPECT_EQ(ended.at(0).jobs_completed, 1);
    EXPECT_EQ(ended.at(0).jobs_failed, 1);
    EXPECT_EQ(Jobs(db).get(7)->status, RunStatus::error);
    return {};
  }));
  make_execution(2, "r2");
  must(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(const auto ended, jobs_ended(db, {{jobs_[1], stopped}}, kLater));
    EXPECT_TRUE(ended.empty()) << "one of its jobs goes on";
    return {};
  }));
  EXPECT_EQ(execution().status, RunStatus::pending);
  EXPECT_EQ(execution().jobs_failed, 1);
}

TEST_F(AccountsTest, a_flow_counts_its_executions_by_their_results) {
  run_to({kFailed});
  const Flow flow = *catalog_->read([&](db::Connection& db) { return Flows(db).get(flow_); });
  EXPECT_EQ(flow.total_executions, 1);
  EXPECT_EQ(flow.failed_executions, 1);
  EXPECT_EQ(flow.successful_executions, 0);
}

TEST_F(AccountsTest, old_executions_are_deleted_with_their_jobs_and_stay_counted) {
  must(catalog_->write(
      [](db::Connection& db) { return SettingsStore(db).define({.keep_executions = 2}, kCreated); }));
  for (const char* name : {"r1", "r2", "r3", "r4"}) run_to({kGood}, name);
  must(catalog_->read([&](db::Connection& db) -> Result<> {
    HF_TRY(const auto kept, Executions(db).newest(flow_, 10));
    EXPECT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept.at(0).name, "r4");
    HF_TRY(const auto jobs, Jobs(db).newest(10));
    EXPECT_EQ(jobs.size(), 2U);
    HF_TRY(const Flow flow, Flows(db).get(flow_));
    EXPECT_EQ(flow.total_executions, 4);
    return {};
  }));
}

TEST_F(AccountsTest, the_end_of_an_execution_is_an_event) {
  run_to({kGood});
  const auto events = *catalog_->read([&](db::Connection& db) { return Events(db).since(0, 100, {}); });
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].event, "execution.end");
  EXPECT_EQ(events[0].object, "flows/f/executions/r1");
}

}  // namespace
}  // namespace holdfast::runs
