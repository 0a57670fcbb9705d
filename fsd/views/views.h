// Texts of files, from the engine's answers. Pure functions: the same view gives the same bytes. The
// contract's table "Fields" has the names of all fields; documents and scripts rely on them.
#pragma once

#include <string>

#include "engine/reading/reading.h"
#include "engine/status/status.h"

namespace holdfast::views {

std::string machine_status(const MachineView& view);
std::string disk_status(const DiskView& disk, std::int64_t revision);
std::string repository_status(const RepositoryView& view);
std::string flow_status(const FlowView& view);
std::string execution_status(const ExecutionView& view);
std::string job_status(const JobView& view);
std::string point_manifest(const PointView& view);
std::string chain_json(const ChainView& view);
std::string difference_json(const DifferenceView& view);
std::string group_status(const GroupView& view);
std::string schedule_status(const ScheduleView& view);
std::string policy_status(const PolicyView& view);
std::string plan_json(const PlanView& view);
std::string summary(const SummaryView& view);

// Lines of machines.jsonl, flows.jsonl and points.jsonl: an object's name, definition and status.
std::string machine_line(const MachineView& view);
std::string flow_line(const FlowView& view);
std::string point_line(const PointView& view);

// A line of a schedule's history.jsonl.
std::string occurrence_line(const OccurrenceView& view);

// A line of the log of an execution or a job, for people.
std::string log_line(const LogLine& line);

// A line of events.jsonl.
std::string event_line(const Event& event);

// The text that a `wait` file returns: "success\n".
std::string final_word(RunStatus status);

}  // namespace holdfast::views
