// Keeps chains short (law 11). A merge turns a run of neighbouring layers into one file. Only the newest of
// them is shown by a point; the merged file shows the same and takes its place.
//
//   1. The catalog records the new image's id.
//   2. The image and its sums are written beside the old ones.
//   3. One rename puts the image in place.
//   4. The catalog records the new image.
//   5. The other layers are unneeded and go (room.h), except those that a branch rests on.
//
// A crash before step 3 leaves files to remove, a crash after it leaves a row to update. The id in the
// image's header tells which. A merge reads nothing outside of its run. It never copies a retired full, on
// which everything rests.
#pragma once

#include "engine/retention/ground.h"

namespace holdfast::retention {

// Merging shortens chains to this many layers. Each run adds one.
constexpr std::size_t kDeepest = 60;

// The layers of a tower to merge, as indices: `newest` to `oldest`.
struct Run {
  std::size_t newest = 0, oldest = 0;
  bool operator==(const Run&) const = default;
};
// Chooses the run that writes least for each layer freed, preferring runs that free at least eight. `bytes`
// is what each layer takes up. Returns nullopt if the tower is short enough or has no run left. With daily
// points, each layer is written about once a year.
std::optional<Run> choose_run(const std::vector<bool>& shown, const std::vector<std::uint64_t>& bytes,
                              std::size_t deepest = kDeepest);

// Completes or undoes the merges that an earlier process began.
Result<> resume_merges(const Ground& ground);
// Merges until all towers are short enough. A merge that lacks room is put off, with a sentence in the
// outcome.
Result<> merge_towers(const Ground& ground);

// Files that a merge of the layer into the image with that id writes, relative to the repository. `image`
// takes the layer's place.
struct MergeFiles {
  std::string directory, image, sums, content;
};
MergeFiles merge_files(const std::string& machine_key, const Layer& layer, const std::string& image_id);

}  // namespace holdfast::retention
