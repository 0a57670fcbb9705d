// Keeps chains short (law 11): a run of neighbours of which no point shows any but the newest becomes one
// file, with what the newest shows, in the newest's place.
//
//   the catalog has the new image's id ─► the image and its sums are written beside the old one ─► one rename
//     puts it in its place ─► the catalog has it ─► the others are needed no more (room.h), but for those on
//     which a branch rests
//
// A crash before the rename leaves a file to be taken away, one after it a row to be brought up to date: both
// are seen by the id in the image's header. Nothing that was captured is read for longer than the merge
// takes, and a retired full, on which all rests, is never copied.
#pragma once

#include "engine/retention/ground.h"

namespace holdfast::retention {

// Chains are merged down to this many layers; a run adds one.
constexpr std::size_t kDeepest = 60;

// The layers of a tower that should become one: from `newest` to `oldest`, places in it.
struct Run {
  std::size_t newest = 0, oldest = 0;
  bool operator==(const Run&) const = default;
};
// Nothing: it is short enough, or no run is left. Of all runs that free some layers at once the one that
// writes least for each; `bytes` has what each layer takes up. So each layer is written about once a year of
// daily points.
std::optional<Run> choose_run(const std::vector<bool>& shown, const std::vector<std::uint64_t>& bytes,
                              std::size_t deepest = kDeepest);

// What an earlier life began.
Result<> resume_merges(const Ground& ground);
// Without room for it a merge is put off, with a sentence in the outcome.
Result<> merge_towers(const Ground& ground);

}  // namespace holdfast::retention
