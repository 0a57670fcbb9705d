// Definitions: the content of a config.json, one struct a kind. References are names, as written. The
// defaults here are those of the contract. The shape of a kind (catalog/model/shapes) lists its fields once;
// parsing, printing, the schema and the catalog's storage follow from the shape.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/model/boot_expect.h"
#include "catalog/model/enumerations.h"

namespace holdfast {

// Fields that one source driver alone has, as a JSON object on one line. The catalog stores them and does not
// interpret them: the driver's own shape (engine/sources) reads and writes them.
using DriverFields = std::string;

struct DiskDefinition {
  std::string name;
  DriverFields fields = "{}";

  bool operator==(const DiskDefinition&) const = default;
};

struct MachineDefinition {
  std::string description;
  std::vector<std::string> tags;
  std::string driver;                             // "qmp": a name of engine/sources/driver.cpp
  std::optional<std::uint64_t> bandwidth;         // bytes a second
  std::optional<std::chrono::seconds> objective;  // how old its newest good point may be
  DriverFields fields = "{}";
  std::vector<DiskDefinition> disks;

  bool operator==(const MachineDefinition&) const = default;
};

struct RepositoryDefinition {
  std::string description;
  std::vector<std::string> tags;
  std::string path;
  Compression compression = Compression::zstd;
  int compression_level = 1;
  std::uint64_t cluster_size = 65536;
  bool read_only = false;
  int max_jobs = 2;
  std::optional<std::uint64_t> bandwidth;  // bytes a second
  int reserve_percent = 2;                 // space that backups leave free
  bool create = false;  // a word of the write that names the path: the directory is to be made

  bool operator==(const RepositoryDefinition&) const = default;
};

struct FlowDefinition {
  std::string description;
  std::vector<std::string> tags;
  FlowType type = FlowType::backup;
  std::string target;      // "machines/m" or "groups/g"
  std::string repository;  // "r"
  bool enabled = true;
  std::string from;  // replication: the repository to copy out of
  std::string schedule;
  std::string policy;
  Overlap overlap = Overlap::skip;
  std::chrono::seconds timeout{24 * 3600};
  std::chrono::seconds stall{30 * 60};
  int priority = 0;
  std::string after;  // the flow that runs before
  AfterWhen after_when = AfterWhen::success;
  std::string only_if;                  // a command of root's
  std::vector<std::string> hooks;       // commands of root's
  std::vector<std::string> recipients;  // notices as "failure https://example.org"

  bool operator==(const FlowDefinition&) const = default;
};

struct GroupDefinition {
  std::string description;
  std::vector<std::string> tags;

  bool operator==(const GroupDefinition&) const = default;
};

struct ScheduleDefinition {
  std::string description;
  std::vector<std::string> tags;
  std::string cron;                           // either this
  std::optional<std::chrono::seconds> every;  // or that
  std::string timezone = "UTC";
  std::chrono::seconds jitter{0};
  MissedAction missed = MissedAction::run_once;
  std::vector<std::string> blackout;  // times in which nothing starts
  bool enabled = true;

  bool operator==(const ScheduleDefinition&) const = default;
};

// Condition for the next full point, which begins a chain: the age of the last full, the number of points in
// its chain, or a new period of the calendar.
using FullEvery = std::variant<std::chrono::seconds, int, CalendarPeriod>;

// Rules by which points are kept and runs are made. An absent rule keeps nothing; without any rule every
// point is kept.
constexpr std::chrono::seconds kBootTimeout = std::chrono::minutes{10};

struct PolicyDefinition {
  std::string description;
  std::vector<std::string> tags;
  std::optional<int> keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly;
  std::chrono::seconds min_age{0};      // nothing younger goes
  std::optional<FullEvery> full_every;  // absent: never
  std::optional<VerifyLevel> verify;    // after each run
  int retries = 1;
  int sample = 0;  // percent of what the source calls unchanged, compared with the parent
  std::optional<std::uint64_t> bandwidth;            // bytes a second
  std::optional<std::chrono::seconds> verify_every;  // everything stored is read once in that time
  std::optional<std::uint64_t> verify_bandwidth;     // bytes a second; absent: as `bandwidth`
  std::vector<std::string> verify_window;  // times in UTC in which that reading begins; empty: always
  // Least time between two boot checks of a machine; zero: after each run; absent: never.
  std::optional<std::chrono::seconds> boot_check;
  BootExpect boot_expect;
  std::chrono::seconds boot_timeout = kBootTimeout;
  BootBus boot_bus = BootBus::virtio;

  bool operator==(const PolicyDefinition&) const = default;
};

constexpr bool keeps_everything(const PolicyDefinition& policy) {
  return !policy.keep_last && !policy.keep_hourly && !policy.keep_daily && !policy.keep_weekly &&
         !policy.keep_monthly && !policy.keep_yearly && policy.min_age == std::chrono::seconds{0};
}

// Settings of the daemon: /config.json.
struct SettingsDefinition {
  int max_concurrent_jobs = 4;
  bool verify_reads = true;
  int keep_executions = 10'000;                    // a flow
  std::uint64_t events_size = 64 * (1 << 20);      // size of events.jsonl before it is rotated
  std::chrono::seconds hook_timeout{5 * 60};       // time for each command of a flow
  std::uint64_t scratch_reserve = 64 * (1 << 20);  // space that scratch images leave free beside the catalog

  bool operator==(const SettingsDefinition&) const = default;
};

}  // namespace holdfast
