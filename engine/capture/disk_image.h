// Writes one frozen disk as a point's files: the image, its sums, and content sums if increments are found by
// content.
#pragma once

#include <optional>
#include <string>

#include "engine/common/progress.h"
#include "engine/image/content_sums.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"
#include "engine/repository/draft.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

struct DiskImagePlan {
  std::string name;  // the disk's name
  image::WriterOptions options;
  bool by_content = false;                       // as FrozenDisk has it
  const image::ContentReader* before = nullptr;  // the parent's content sums, in an increment by content
  // Percent of what the source calls unchanged to read all the same. Absent: the source calls nothing so.
  std::optional<unsigned> sample;
  std::shared_ptr<image::Stack> images_before;  // the parent's images, for a sample without content sums
};

struct DiskImage {
  image::WriterSummary image;
  std::uint64_t stored_bytes = 0;  // sum of all files
  std::uint64_t bytes_read = 0;
  std::string content_sha256;  // "" if not by content
  bool source_lied = false;    // no image was made; the caller discards its files
};

// Returns when all files are durable; the directory is not synced yet.
Result<DiskImage> write_disk_image(repository::Draft& draft, const DiskImagePlan& plan,
                                   source::DiskReader& reader, ProgressMeter& progress,
                                   const source::Cancel& cancel);

}  // namespace holdfast::capture
