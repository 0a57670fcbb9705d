#include "fsd/views/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace holdfast::views {
namespace {

using nlohmann::json;

const Time kThen = *parse_iso_time("2026-11-20T02:00:00Z");

// Checks for fields of the contract's table "Fields".
void expect_fields(const std::string& text, const std::vector<std::string>& fields) {
  EXPECT_TRUE(text.ends_with("}\n"));
  const json parsed = json::parse(text);
  for (const std::string& field : fields) EXPECT_TRUE(parsed.contains(field)) << field;
}

TEST(Views, each_view_has_the_fields_of_the_contract) {
  expect_fields(machine_status({}),
                {"revision", "state", "disks", "points", "latest", "latest_at", "bytes_stored", "warnings"});
  expect_fields(disk_status({}, 1), {"capacity_bytes", "cbt", "cbt_reason", "change_ids"});
  expect_fields(repository_status({}), {"revision", "state", "capacity_bytes", "free_bytes", "used_bytes",
                                        "points", "full_at_estimate", "warnings"});
  expect_fields(flow_status({}),
                {"revision", "enabled", "running", "last_execution_id", "last_execution_status",
                 "last_execution_reason", "last_execution_message", "last_execution_time", "last_success_at",
                 "next_execution_time", "total_executions", "successful_executions", "warned_executions",
                 "failed_executions", "average_seconds"});
  expect_fields(execution_status({}), {"revision",
                                       "id",
                                       "flow",
                                       "status",
                                       "execution_type",
                                       "by",
                                       "by_name",
                                       "reason",
                                       "jobs_created",
                                       "jobs_completed",
                                       "jobs_failed",
                                       "jobs_skipped",
                                       "machines_processed",
                                       "bytes_read",
                                       "bytes_transferred",
                                       "bytes_stored",
                                       "created_job_ids",
                                       "started_at",
                                       "completed_at",
                                       "execution_time_seconds",
                                       "progress"});
  expect_fields(job_status({}), {"revision", "id", "type", "operation", "owner", "status", "reason",
                                 "machine", "execution", "progress", "metadata", "started_at"});
  expect_fields(point_manifest({}),
                {"id", "machine", "time", "kind", "reason", "consistency", "repository", "chain", "parent",
                 "flow", "execution", "disks", "pins", "verdicts", "copies", "verified"});
  expect_fields(chain_json({}), {"id", "machine", "repository", "points", "layers"});
  expect_fields(difference_json({}), {"machine", "from", "to", "totals", "disks"});
  expect_fields(group_status({}), {"revision", "state", "members", "warnings"});
  expect_fields(schedule_status({}), {"revision", "state", "enabled", "flows", "next_times", "warnings"});
  expect_fields(policy_status({}), {"revision", "state", "flows", "warnings"});
  expect_fields(occurrence_line({}), {"at", "flow", "status", "reason", "execution"});
  expect_fields(machine_line({}), {"name", "config", "state", "points", "latest"});
  expect_fields(flow_line({}), {"name", "config", "enabled", "total_executions"});
  expect_fields(event_line({}), {"at", "event", "object", "by", "result", "reason", "execution", "job"});
}

TEST(Views, absent_values_are_null) {
  const json execution = json::parse(execution_status({}));
  for (const char* field :
       {"by", "by_name", "reason", "message", "started_at", "completed_at", "execution_time_seconds"})
    EXPECT_TRUE(execution[field].is_null()) << field;
  EXPECT_TRUE(execution["progress"]["seconds_left"].is_null());
  EXPECT_TRUE(json::parse(flow_status({}))["last_execution_id"].is_null());
  EXPECT_TRUE(json::parse(machine_status({}))["latest"].is_null());
}

TEST(Views, times_are_in_utc_and_durations_in_seconds) {
  ExecutionView view;
  view.execution.started_at = kThen;
  view.execution.completed_at = kThen + std::chrono::milliseconds(90500);
  const json execution = json::parse(execution_status(view));
  EXPECT_EQ(execution["started_at"], "2026-11-20T02:00:00Z");
  EXPECT_EQ(execution["completed_at"], "2026-11-20T02:01:30Z");
  EXPECT_EQ(execution["execution_time_seconds"], 90.5);
}

TEST(Views, fields_keep_their_order) {
  EXPECT_THAT(flow_status({}), testing::StartsWith("{\n  \"revision\": 0,\n  \"state\": \"incomplete\",\n"));
}

TEST(Views, a_machine_is_incomplete_ready_or_busy) {
  MachineView view;
  EXPECT_EQ(json::parse(machine_status(view))["state"], "incomplete");
  view.machine.complete = true;
  EXPECT_EQ(json::parse(machine_status(view))["state"], "ready");
  view.busy = true;
  EXPECT_EQ(json::parse(machine_status(view))["state"], "busy");
}

TEST(Views, the_average_counts_finished_executions_only) {
  FlowView view;
  view.flow.finished_executions = 4;
  view.flow.total_milliseconds = 6000;
  EXPECT_EQ(json::parse(flow_status(view))["average_seconds"], 1.5);
}

TEST(Views, metadata_is_shown_as_json) {
  JobView view;
  view.job.metadata = R"({"points":["T"]})";
  EXPECT_EQ(json::parse(job_status(view))["metadata"]["points"][0], "T");
  view.job.metadata = "broken";
  EXPECT_EQ(json::parse(job_status(view))["metadata"], "broken");
}

TEST(JobViews, a_waiting_job_says_what_it_waits_for) {
  JobView view;
  view.machine = "m";
  for (const std::string_view word : Words<WaitReason>::words) {
    view.waits_for = from_word<WaitReason>(word);
    const json status = json::parse(job_status(view));
    EXPECT_EQ(status["reason"], word);
    EXPECT_NE(status["message"].get<std::string>().find("wait"), std::string::npos);
  }
  view.waits_for = WaitReason::machine_busy;
  EXPECT_EQ(json::parse(job_status(view))["message"], "the job waits: another job uses machine 'm'");
}

TEST(Views, an_event_names_its_caller_or_the_daemon) {
  Event event;
  EXPECT_EQ(json::parse(event_line(event))["by"], "daemon");
  event.by = Caller{1000, 100, 42};
  EXPECT_EQ(json::parse(event_line(event))["by"], (json{{"uid", 1000}, {"gid", 100}, {"pid", 42}}));
}

TEST(Views, an_execution_names_its_caller_or_the_daemon_or_says_that_the_caller_is_unknown) {
  ExecutionView view;
  EXPECT_EQ(json::parse(execution_status(view))["by"], nullptr);
  view.execution.type = ExecutionType::scheduled;
  EXPECT_EQ(json::parse(execution_status(view))["by"], "daemon");
  view.execution.by = Caller{1000, 100, 42};
  EXPECT_EQ(json::parse(execution_status(view))["by"], (json{{"uid", 1000}, {"gid", 100}, {"pid", 42}}));
}

TEST(Views, an_event_is_one_line) {
  Event event;
  event.reason = "first\nsecond";
  const std::string line = event_line(event);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(Views, text_that_is_not_utf8_is_shown_with_replacements) {
  Event event;
  event.reason = "bad \xff byte";
  EXPECT_EQ(json::parse(event_line(event))["reason"], "bad \xef\xbf\xbd byte");
}

TEST(Views, a_final_word_is_the_status_on_a_line) {
  EXPECT_EQ(final_word(RunStatus::success), "success\n");
  EXPECT_EQ(final_word(RunStatus::error), "error\n");
}

}  // namespace
}  // namespace holdfast::views
