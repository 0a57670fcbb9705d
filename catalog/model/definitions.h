// What a user writes into config.json, one struct a kind: references are names, as written. Defaults
// here are the defaults of the contract. definition_json.cpp lists the fields once, for reading,
// writing and for the schema; the stores keep them as columns. A field that the engine does not honour yet is
// kept by the store and missing in the JSON, where it would promise something.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/model/enumerations.h"

namespace holdfast {

struct DiskDefinition {
  std::string name;
  std::string node;           // qmp: the block node that the guest writes to
  std::string uri;            // nbd
  std::string bitmap;         // nbd: the dirty bitmap that its user manages
  bool trust_bitmap = false;  // nbd
  std::string path;           // file

  bool operator==(const DiskDefinition&) const = default;
};

struct MachineDefinition {
  std::string description;
  std::vector<std::string> tags;
  Driver driver = Driver::qmp;
  std::string socket;  // qmp
  std::vector<DiskDefinition> disks;
  std::string source;                // libvirt: the source that it is in
  std::string domain;                // libvirt: its name there
  std::vector<std::string> exclude;  // disks that no point has
  Quiesce quiesce = Quiesce::automatic;
  std::optional<std::chrono::seconds> objective;  // how old its newest good point may be
  std::optional<std::uint64_t> bandwidth;         // bytes a second

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
  std::vector<std::string> recipients;  // who is told how it went

  bool operator==(const FlowDefinition&) const = default;
};

// The name of a file that only root reads; what is in it never comes near the catalog.
struct CredentialDefinition {
  std::string description;
  std::vector<std::string> tags;

  bool operator==(const CredentialDefinition&) const = default;
};

struct SourceDefinition {
  std::string description;
  std::vector<std::string> tags;
  SourceDriver driver = SourceDriver::libvirt;
  std::string uri;
  std::string credential;
  int max_jobs = 2;
  std::optional<std::uint64_t> bandwidth;  // bytes a second
  std::chrono::seconds discover_every{3600};

  bool operator==(const SourceDefinition&) const = default;
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

// When a full point is made, and a chain begun with it: once the last one is so old, with so many points
// each, or with each period of the calendar.
using FullEvery = std::variant<std::chrono::seconds, int, CalendarPeriod>;

// How long points are kept, and how runs are made. A rule that is absent keeps nothing by itself; without any
// everything is kept.
struct PolicyDefinition {
  std::string description;
  std::vector<std::string> tags;
  std::optional<int> keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly;
  std::chrono::seconds min_age{0};                 // nothing younger goes
  std::optional<FullEvery> full_every;             // absent: never
  std::optional<VerifyLevel> verify;               // after each run
  std::optional<std::chrono::seconds> boot_check;  // absent: never
  int retries = 1;
  int sample = 0;  // percent of what the source calls unchanged, compared with the parent
  std::optional<std::uint64_t> bandwidth;  // bytes a second

  bool operator==(const PolicyDefinition&) const = default;
};

constexpr bool keeps_everything(const PolicyDefinition& policy) {
  return !policy.keep_last && !policy.keep_hourly && !policy.keep_daily && !policy.keep_weekly &&
         !policy.keep_monthly && !policy.keep_yearly && policy.min_age == std::chrono::seconds{0};
}

// The daemon's /config.json.
struct SettingsDefinition {
  int max_concurrent_jobs = 4;
  bool verify_reads = true;
  int keep_executions = 10'000;                // a flow
  std::uint64_t events_size = 64 * (1 << 20);  // of events.jsonl before it is rotated
  std::chrono::seconds hook_timeout{5 * 60};   // of each command of a flow

  bool operator==(const SettingsDefinition&) const = default;
};

}  // namespace holdfast
