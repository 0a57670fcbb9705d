// Enumerations of the project, each with the words that the catalog, the mount and the logs use. Words that
// one source driver alone has stand in that driver's fields.h.
//
// Law 18: this is the one place. Migrations fill the tables of words in the database; a test compares both
// directions, so that a value can't be in one and not in the other.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace holdfast {

// Specialised for each enumeration by HF_WORDS: `table` (the lookup table in the catalog, "" when no column
// holds the values) and `words`, in the order of the enumerators.
template <class E>
struct Words;

template <class E>
constexpr std::string_view to_word(E value) {
  return Words<E>::words[static_cast<std::size_t>(value)];
}

template <class E>
constexpr std::optional<E> from_word(std::string_view word) {
  for (std::size_t i = 0; i < Words<E>::words.size(); ++i)
    if (Words<E>::words[i] == word) return static_cast<E>(i);
  return std::nullopt;
}

#define HF_WORDS(E, table_name, ...)                                              \
  template <>                                                                     \
  struct Words<E> {                                                               \
    static constexpr std::string_view table = table_name;                         \
    static constexpr auto words = std::to_array<std::string_view>({__VA_ARGS__}); \
  }

enum class Compression { zstd, deflate, none };
HF_WORDS(Compression, "compressions", "zstd", "deflate", "none");

enum class FlowType { backup, replication };
HF_WORDS(FlowType, "", "backup", "replication");

enum class RunStatus {
  pending,
  running,
  success,
  warning,
  error,
  cancelled
};  // status of executions and jobs
HF_WORDS(RunStatus, "run_statuses", "pending", "running", "success", "warning", "error", "cancelled");
constexpr bool is_final(RunStatus status) { return status > RunStatus::running; }

enum class ExecutionType { scheduled, manual, api };
HF_WORDS(ExecutionType, "execution_types", "scheduled", "manual", "api");

enum class JobType {
  backup,
  replication,
  verify,
  prune,
  import,
  drain,
  test,
  rescan,
  repair,
  gc,
  boot_check
};
HF_WORDS(JobType, "job_types", "backup", "replication", "verify", "prune", "import", "drain", "test",
         "rescan", "repair", "gc", "boot_check");

// Reason why a run ended as it did, beyond plain success.
enum class EndReason {
  interrupted,
  cancelled,
  unplanned_full,
  failed,
  timed_out,
  stalled,   // nothing moved any more
  no_space,  // the repository is full
  source_unreachable,
  repository_unreachable,
  condition_not_met,  // only_if said no
  cbt_lied,           // the source had called changed blocks unchanged
  damaged,            // stored bytes differ from the written ones
  no_machines,        // the target has no enabled machine
  hook_failed,        // a command of the flow's, before or after its jobs
  boot_failed,        // the point's system did not come up
};
HF_WORDS(EndReason, "end_reasons", "interrupted", "cancelled", "unplanned_full", "failed", "timed_out",
         "stalled", "no_space", "source_unreachable", "repository_unreachable", "condition_not_met",
         "cbt_lied", "damaged", "no_machines", "hook_failed", "boot_failed");

// Reason why an accepted job does not run yet.
enum class WaitReason {
  machine_busy,         // another job has its machine (law 3)
  max_concurrent_jobs,  // the limit of all jobs is reached
  max_jobs,             // the limit of its repository is reached
  boot_check_busy,      // another boot check runs
  hooks,                // a command before its execution's jobs has not ended
  retry,                // failed, and is tried again later
};
HF_WORDS(WaitReason, "", "machine_busy", "max_concurrent_jobs", "max_jobs", "boot_check_busy", "hooks",
         "retry");

// retired: the point is gone, some of its layers are still there.
enum class PointState { writing, committed, retired };
HF_WORDS(PointState, "point_states", "writing", "committed", "retired");

enum class PointKind { full, incremental };
HF_WORDS(PointKind, "point_kinds", "full", "incremental");

// Reason why a disk was read whole (law 5).
enum class FullReason {
  no_parent,            // the first point of this machine in this repository
  requested,            // run type=full
  cbt_reset,            // reset-cbt: the change ids of earlier points are not trusted any more
  no_change_id,         // the parent has none: its source kept no bitmap
  bitmap_missing,       // the source no longer has the bitmap that it should have kept
  bitmap_inconsistent,  // the source says that the bitmap is not to be trusted
  bitmap_unusable,      // not recording, or not on the node that is written to
  capacity_changed,
  disk_changed,    // another disk bears the name, or a disk is new
  layout_changed,  // the repository's cluster size or compression
  parent_missing,
  parent_damaged,
  cbt_lied,   // blocks that the source calls unchanged differ from the parent
  by_policy,  // the newest full is as old as its policy lets it become
};
HF_WORDS(FullReason, "full_reasons", "no_parent", "requested", "cbt_reset", "no_change_id", "bitmap_missing",
         "bitmap_inconsistent", "bitmap_unusable", "capacity_changed", "disk_changed", "layout_changed",
         "parent_missing", "parent_damaged", "cbt_lied", "by_policy");
constexpr bool is_planned(FullReason reason) {
  return reason == FullReason::no_parent || reason == FullReason::requested ||
         reason == FullReason::cbt_reset || reason == FullReason::by_policy;
}

enum class Consistency { filesystem, crash, none };
HF_WORDS(Consistency, "consistencies", "filesystem", "crash", "none");

// Things that a driver makes at a source and must remove again (law 8).
enum class LeftoverKind {
  nbd_server,
  nbd_export,
  block_job,
  node,
  bitmap,
  file,
  drive,
  fsfreeze,
  unwanted_bitmap
};
HF_WORDS(LeftoverKind, "leftover_kinds", "nbd_server", "nbd_export", "block_job", "node", "bitmap", "file",
         "drive", "fsfreeze", "unwanted_bitmap");

enum class EventResult { ok, refused, failed };
HF_WORDS(EventResult, "event_results", "ok", "refused", "failed");

// Treatment of a start while the flow still runs.
enum class Overlap { skip, queue };
HF_WORDS(Overlap, "", "skip", "queue");

// Treatment of times that passed while the daemon did not run.
enum class MissedAction { run_once, skip };
HF_WORDS(MissedAction, "", "run_once", "skip");

enum class VerifyLevel { quick, checksums, compare };
HF_WORDS(VerifyLevel, "verify_levels", "quick", "checksums", "compare");

// Sign by which a boot check knows that a system has come up.
enum class BootSign {
  screen,  // something other than the firmware's text is on the screen, and stays
  agent,   // the guest's agent answers
  serial,  // a line on the serial console
};
HF_WORDS(BootSign, "", "screen", "agent", "serial");

// Bus at which a boot check attaches disks.
enum class BootBus { virtio, sata };
HF_WORDS(BootBus, "", "virtio", "sata");

// Program part that ran the guest of a boot check.
enum class Accelerator { tcg, kvm };
HF_WORDS(Accelerator, "accelerators", "tcg", "kvm");

// Result of one time of a schedule.
enum class OccurrenceStatus { planned, started, skipped, missed };
HF_WORDS(OccurrenceStatus, "occurrence_statuses", "planned", "started", "skipped", "missed");

// Reason why a time was skipped or missed.
enum class OccurrenceReason {
  already_running,
  blackout,
  disabled,
  draining,
  daemon_was_down,
  passed_over,  // the clock had gone past it: it was put forward, or the host slept or was too busy
  refused,      // the flow could not start: its owner may not, or it isn't complete
};
HF_WORDS(OccurrenceReason, "occurrence_reasons", "already_running", "blackout", "disabled", "draining",
         "daemon_was_down", "passed_over", "refused");

// End of the earlier flow that starts a flow which runs after it.
enum class AfterWhen { success, always };
HF_WORDS(AfterWhen, "", "success", "always");

// Ends of executions that a flow tells a recipient of.
enum class NoticeWhen { failure, warning, recovery, always };
HF_WORDS(NoticeWhen, "", "failure", "warning", "recovery", "always");

// Periods of the calendar; a policy may begin a new chain with each.
enum class CalendarPeriod { day, week, month, year };
HF_WORDS(CalendarPeriod, "", "@daily", "@weekly", "@monthly", "@yearly");

// Action of a garbage collection, which takes what belongs to nothing in a repository.
enum class GcAction { list, set_aside, remove };
HF_WORDS(GcAction, "", "list", "aside", "delete");

// Fate of a thing that belongs to nothing: it may be set aside; it lies aside and may be deleted; a person
// decides.
enum class StrayFate { garbage, aside, stays };
HF_WORDS(StrayFate, "", "garbage", "aside", "stays");

enum class VerdictResult { good, bad };
HF_WORDS(VerdictResult, "verdict_results", "good", "bad");

// Kinds of documents that a repository carries: of the objects of users, of the daemon's settings, and of the
// owners of collections.
enum class DefinitionKind { machine, repository, flow, group, schedule, policy, settings, collections };
HF_WORDS(DefinitionKind, "definition_kinds", "machine", "repository", "flow", "group", "schedule", "policy",
         "settings", "collections");

// Enumerations that columns hold. Add each new one here: the tests walk this list.
using Enumerations =
    std::tuple<Compression, RunStatus, ExecutionType, JobType, EndReason, PointState, PointKind, FullReason,
               Consistency, LeftoverKind, EventResult, VerifyLevel, OccurrenceStatus, OccurrenceReason,
               VerdictResult, DefinitionKind, Accelerator>;

}  // namespace holdfast
