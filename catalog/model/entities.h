// Rows of the catalog as values. An id that may be absent is optional (NULL in the database).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"
#include "catalog/model/definitions.h"
#include "catalog/model/enumerations.h"

namespace holdfast {

struct Named {
  Id id = 0;
  std::string name;

  bool operator==(const Named&) const = default;
};

struct Ownership {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t mode = 0750;  // the object's directory; its files have the read and write bits of it

  bool operator==(const Ownership&) const = default;
};

// Fields that every object of users has.
struct Object {
  Id id = 0;
  std::string name;
  Ownership ownership;
  bool complete = false;      // true once config.json was written
  std::int64_t revision = 0;  // grows with every change, across restarts (taken from new_id)
  Time created_at{};
  Time changed_at{};
};

struct Machine : Object {
  std::string key;  // directory in repositories; never reused
  MachineDefinition definition;
};

struct Disk {
  Id id = 0;
  Id machine_id = 0;
  std::string name;
  bool configured = true;                 // false: no longer in the definition, kept for its points
  std::optional<std::uint64_t> capacity;  // as last seen
  std::string key;                        // permanent name; never reused
  std::string source_identity;            // the source's name of the disk: another one is another disk
};

struct Repository : Object {
  std::string marker;        // the id in its holdfast.json; empty until it was initialised
  std::int64_t commits = 0;  // the highest number of a commit that this catalog gave (law 21)
  std::optional<std::int64_t> missed_commits;  // highest number there when the catalog was found to lack some
  RepositoryDefinition definition;
};

struct Flow : Object {
  FlowDefinition definition;
  std::optional<Id> machine_id, group_id;  // the target, resolved: one of them
  std::optional<Id> repository_id, from_repository_id, schedule_id, policy_id, after_flow_id;
  std::int64_t total_executions = 0;
  std::int64_t successful_executions = 0;
  std::int64_t warned_executions = 0;
  std::int64_t failed_executions = 0;
  std::int64_t finished_executions = 0;  // basis of average_seconds
  std::int64_t total_milliseconds = 0;
};

struct Group : Object {
  GroupDefinition definition;
};

// A machine in a group.
struct Member {
  Id machine_id = 0;
  std::string machine;  // the machine's name
  bool enabled = true;

  bool operator==(const Member&) const = default;
};

struct Schedule : Object {
  ScheduleDefinition definition;
  std::optional<Time> next_at;  // when it is due, as the scheduler has worked it out
};

// One time of a schedule, for one of the flows that follow it.
struct Occurrence {
  Id id = 0;
  Id schedule_id = 0;
  Id flow_id = 0;
  Time planned_at{};
  OccurrenceStatus status = OccurrenceStatus::planned;
  std::optional<OccurrenceReason> reason;  // set when skipped or missed
  std::optional<Id> execution_id;          // set when started

  bool operator==(const Occurrence&) const = default;
};

// A flow that is to start because the flow before it has ended.
struct ChainedStart {
  Id flow_id = 0;
  Id after_flow_id = 0;
};

struct Policy : Object {
  PolicyDefinition definition;
};

struct Settings {
  SettingsDefinition definition;
  std::int64_t revision = 0;
  Time changed_at{};
};

// The asking process, by the kernel's word; absent where the daemon acts by itself.
struct Caller {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;                 // the process, not the thread
  std::vector<std::uint32_t> groups{};  // supplementary ones; the catalog stores none

  bool operator==(const Caller&) const = default;
};

struct Execution {
  Id id = 0;
  Id flow_id = 0;
  std::string name;  // unique in its flow
  RunStatus status = RunStatus::pending;
  ExecutionType type = ExecutionType::manual;
  std::optional<Caller> by;
  // The user's account, an automation's name, or what started it: "schedules/s", "flows/f".
  std::string by_name;
  std::optional<EndReason> reason;
  std::string message;  // the sentence that goes with the reason
  std::int64_t jobs_created = 0, jobs_completed = 0, jobs_failed = 0, jobs_skipped = 0;
  std::int64_t machines_processed = 0;
  std::uint64_t bytes_read = 0, bytes_transferred = 0, bytes_stored = 0;
  Time created_at{};
  std::optional<Time> started_at, completed_at;
  std::int64_t revision = 0;
};

struct Job {
  Id id = 0;
  std::string name;  // unique among all jobs
  JobType type = JobType::backup;
  std::string operation;  // "full", "incremental", "auto": what was asked for
  std::string owner;      // object that it works for: "flows/nightly"
  std::optional<Id> execution_id, machine_id, repository_id, parent_job_id;
  std::optional<Id> flow_id;   // set without an execution
  std::optional<Id> chain_id;  // chain that it writes to: one job at a time
  RunStatus status = RunStatus::pending;
  std::optional<EndReason> reason;
  std::string message;
  std::string metadata = "{}";  // JSON: what is particular to the type
  std::uint64_t bytes_done = 0, bytes_total = 0;
  std::uint64_t bytes_read = 0, bytes_transferred = 0, bytes_stored = 0;
  Time created_at{};
  std::optional<Time> started_at, completed_at;
  std::int64_t revision = 0;
};

// A full point and the increments that rest on it, of one machine in one repository.
struct Chain {
  Id id = 0;
  Id machine_id = 0;
  Id repository_id = 0;
  Time created_at{};
  std::int64_t points_made = 0;  // also those that have gone since
};

// One qcow2 file.
struct Layer {
  Id id = 0;
  Id chain_id = 0;
  Id disk_id = 0;
  std::optional<Id> parent_layer_id;
  std::string file;      // relative to the machine's directory in the repository: "TIME/DISK.qcow2"
  std::string image_id;  // hex, as in the image's header extension
  std::uint64_t file_bytes = 0;
  std::string merging_image_id{};  // the image that is about to take this one's place; "": none
  Id merging_onto = 0;             // the layer that it rests on
  std::string sums_sha256{};       // digest of its sums, as its point or copy has it; "": unknown
};

struct PointDisk {
  Id id = 0;
  Id point_id = 0;
  Id disk_id = 0;
  std::string name;  // the disk's name at that time
  std::uint64_t capacity = 0;
  PointKind kind = PointKind::full;
  std::optional<FullReason> full_reason;
  std::string change_id;  // "" when the source has none
  std::uint64_t bytes_stored = 0;
  std::uint64_t bytes_used = 0;              // st_blocks of DISK.raw
  std::optional<std::uint64_t> qcow2_bytes;  // the size of DISK.qcow2; absent in points older than that file
  std::string sums_sha256;
  Id layer_id = 0;
  bool read_everything = true;              // false: the changes that the source named
  std::optional<std::uint64_t> bytes_read;  // absent in points from before it was counted
  std::string content_sha256;               // digest of the content sums; "" where the source tells changes
  std::string source_identity;              // the source's name of the disk; "" where it has none
};

struct Point {
  Id id = 0;
  Id machine_id = 0;
  Id repository_id = 0;
  Id chain_id = 0;
  std::optional<Id> parent_point_id, execution_id, job_id;
  std::optional<Id> flow_id;  // the flow that made it: its policy judges the point
  std::string flow;           // names, for the manifest of a point that outlives them
  std::string execution;
  std::string name;  // TIME[-N], unique in its machine
  PointState state = PointState::writing;
  PointKind kind = PointKind::full;
  std::optional<FullReason> full_reason;
  Consistency consistency = Consistency::crash;
  Time time{};  // instant of the freeze
  std::uint64_t cluster_size = 0;
  Compression compression = Compression::zstd;
  std::uint64_t bytes_stored = 0;
  std::vector<PointDisk> disks;
  std::optional<std::int64_t> sequence;  // number of its commit in its repository
  std::int64_t revision = 0;             // grows with its facts; 0: none was added since the commit
  bool carried = false;                  // true: made in another repository, once a copy
  bool cbt_reset = false;                // true: its change ids are not trusted any more
  struct Verification {
    Time at{};
    VerifyLevel level = VerifyLevel::quick;
    VerdictResult result = VerdictResult::good;
    bool operator==(const Verification&) const = default;
  };
  std::optional<Verification> verified;  // the last time
  std::string manifest_sha256;           // for the commit alone: digest of the manifest that was written
};

struct CopyDisk {
  Id id = 0;
  Id disk_id = 0;
  Id layer_id = 0;
  std::uint64_t bytes_stored = 0;
  std::string sums_sha256;

  bool operator==(const CopyDisk&) const = default;
};

// A point in another repository than the one it was made in, on a chain of its own there.
struct Copy {
  Id id = 0;
  Id point_id = 0;
  Id machine_id = 0;
  Id repository_id = 0;
  Id chain_id = 0;
  std::optional<Id> flow_id, execution_id;  // run that carried it
  PointState state = PointState::writing;
  PointKind kind = PointKind::full;
  Time created_at{};
  std::uint64_t bytes_stored = 0;
  bool damaged = false;                  // found by the last verification
  std::optional<std::int64_t> sequence;  // number of its commit in its repository
  std::vector<CopyDisk> disks;
  std::string manifest_sha256{};  // for the commit alone: digest of the manifest that was written
};

// Hold on a point: the point stays for as long as the pin is there (law 12).
struct Pin {
  Id id = 0;
  Id point_id = 0;
  Time at{};
  std::string by_name;        // the user's account
  std::optional<Time> until;  // absent: until it is taken away
  std::string why;
  std::optional<Caller> by{};  // absent: recorded by a version that stored only the name

  bool operator==(const Pin&) const = default;
};

// Judgement of a point by a person or a check.
struct Verdict {
  Id id = 0;
  Id point_id = 0;
  Time at{};
  VerdictResult result = VerdictResult::good;
  std::string by_name;  // the name that its giver gave
  std::string text;
  std::optional<Caller> by{};  // absent: recorded by a version that stored only the name

  bool operator==(const Verdict&) const = default;
};

// Last attempt to boot a point.
struct BootCheck {
  Id point_id = 0;
  Time at{};
  VerdictResult result = VerdictResult::good;
  std::string reason;  // why it does not boot; "" if it does
  std::string expect;  // the proof that was asked for
  Accelerator accelerator = Accelerator::tcg;
  std::chrono::milliseconds took{};

  bool operator==(const BootCheck&) const = default;
};

// Thing that a capture made at a source: recorded before it is made, removed by this very name (law 8).
struct Leftover {
  Id id = 0;  // ids have the order of their making
  Id machine_id = 0;
  Id point_id = 0;  // point whose capture made it
  LeftoverKind kind = LeftoverKind::node;
  std::string name;    // "hf-3f2a91c0-…"; for a file its path
  std::string detail;  // the driver's own words, for undoing it
  std::string driver;  // maker: the machine may have another driver by now
};

struct Event {
  Id id = 0;
  Time at{};
  std::string event;         // "flow.run", "machine.define", "point.commit", "image.open" …
  std::string object;        // "flows/nightly"
  std::optional<Caller> by;  // absent: the daemon
  EventResult result = EventResult::ok;
  std::string reason;
  std::string execution;  // "flows/nightly/executions/r42"
  std::string job;
  std::optional<Ownership>
      owner{};  // the object's owner at that time, who may see the event; absent: root alone
};

}  // namespace holdfast
