// One frozen disk becomes the files of a point: its image, that one's sums, and the sums of its content where
// those are what the next increment is held against.
#pragma once

#include <string>

#include "engine/capture/progress.h"
#include "engine/image/content_sums.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"
#include "engine/repository/draft.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

struct DiskImagePlan {
  std::string name;  // of the disk
  image::WriterOptions options;
  bool by_content = false;                       // FrozenDisk's
  const image::ContentReader* before = nullptr;  // the parent's content, in an increment by content
  unsigned sample = 0;                           // percent of what is called unchanged: read all the same
  std::shared_ptr<image::Stack> images_before;   // the parent's, for a sample where there is no content
};

struct DiskImage {
  image::WriterSummary image;
  std::uint64_t stored_bytes = 0;  // of all files together
  std::uint64_t bytes_read = 0;
  std::string content_sha256;  // "" when it is not by content
  bool source_lied = false;    // then there is no image: its files are to be taken away
};

// Everything is durable when it returns, but for the directory.
Result<DiskImage> write_disk_image(repository::Draft& draft, const DiskImagePlan& plan,
                                   source::DiskReader& reader, ProgressMeter& progress,
                                   const source::Cancel& cancel);

}  // namespace holdfast::capture
