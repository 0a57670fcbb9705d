// Every enumeration of the project, each with the words that the catalog, the mount and the logs use.
//
// Law 18: this is the one place. The tables of words in the database are filled by migrations; a test
// compares both directions, so that a value can't be in one and not in the other.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

// Specialised for each enumeration by HF_WORDS: `table` (the lookup table in the catalog, "" when the
// values are never stored) and `words`, in the order of the enumerators.
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

enum class Driver { qmp };
HF_WORDS(Driver, "drivers", "qmp");

enum class Compression { zstd, deflate, none };
HF_WORDS(Compression, "compressions", "zstd", "deflate", "none");

enum class FlowType { backup };
HF_WORDS(FlowType, "flow_types", "backup");

enum class RunStatus { pending, running, success, warning, error, cancelled };  // of executions and jobs
HF_WORDS(RunStatus, "run_statuses", "pending", "running", "success", "warning", "error", "cancelled");
constexpr bool is_final(RunStatus status) { return status > RunStatus::running; }

enum class ExecutionType { scheduled, manual, api };
HF_WORDS(ExecutionType, "execution_types", "scheduled", "manual", "api");

enum class JobType { backup };
HF_WORDS(JobType, "job_types", "backup");

// Why a run ended as it did, beyond plain success.
enum class EndReason { interrupted, cancelled, unplanned_full, failed };
HF_WORDS(EndReason, "end_reasons", "interrupted", "cancelled", "unplanned_full", "failed");

enum class PointState { writing, committed };
HF_WORDS(PointState, "point_states", "writing", "committed");

enum class PointKind { full, incremental };
HF_WORDS(PointKind, "point_kinds", "full", "incremental");

// Law 5: why a disk was read whole.
enum class FullReason {
  no_parent,            // the first point of this machine in this repository
  requested,            // run type=full
  no_change_id,         // the parent has none: its source kept no bitmap
  bitmap_missing,       // the source no longer has the bitmap that it should have kept
  bitmap_inconsistent,  // the source says that the bitmap is not to be trusted
  bitmap_unusable,      // not recording, or not on the node that is written to
  capacity_changed,
  disk_changed,    // another disk bears the name, or a disk is new
  layout_changed,  // the repository's cluster size or compression
  parent_missing,
  parent_damaged,
};
HF_WORDS(FullReason, "full_reasons", "no_parent", "requested", "no_change_id", "bitmap_missing",
         "bitmap_inconsistent", "bitmap_unusable", "capacity_changed", "disk_changed", "layout_changed",
         "parent_missing", "parent_damaged");
constexpr bool is_planned(FullReason reason) {
  return reason == FullReason::no_parent || reason == FullReason::requested;
}

enum class Consistency { filesystem, crash, none };
HF_WORDS(Consistency, "consistencies", "filesystem", "crash", "none");

// What a driver makes at a source and must take away again (law 8).
enum class LeftoverKind { nbd_server, nbd_export, block_job, node, bitmap, file };
HF_WORDS(LeftoverKind, "leftover_kinds", "nbd_server", "nbd_export", "block_job", "node", "bitmap", "file");

enum class EventResult { ok, refused, failed };
HF_WORDS(EventResult, "event_results", "ok", "refused", "failed");

}  // namespace holdfast
