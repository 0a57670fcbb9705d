// Between a transfer and the image: keeps the sums of all that the disk holds, and lets through only what
// differs from the parent's.
//
// For sources that can't tell what has changed: everything is read, and what is as it was costs nothing. Both
// files of sums go by in the disk's order, a segment at a time, so that their size never matters.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/image/content_sums.h"
#include "engine/image/writer.h"

namespace holdfast::capture {

// A Writer with a Writer's promises. Clusters that nobody writes are the parent's, or zeros in a full. One
// thread at a time.
class ContentFilter final : public image::Writer {
 public:
  // What it is given outlives it. `parent`: null in a full.
  ContentFilter(image::Writer& image, image::ContentWriter& sums, const image::ContentReader* parent,
                const image::ContentShape& shape)
      : image_(image), sums_(sums), parent_(parent), shape_(shape) {}

  Result<> write(std::uint64_t offset, ByteView data) override;
  Result<> zero(std::uint64_t offset, std::uint64_t length) override;
  Result<> finish_segment(std::uint64_t offset) override;
  Result<image::WriterSummary> finish() override;  // the image's; the sums are left to be finished

 private:
  Result<> enter(std::uint64_t offset);
  Result<> begin_segment();
  Result<> end_segment();
  std::uint64_t index(std::uint64_t offset) const { return (offset - segment_) / shape_.cluster_size; }

  image::Writer& image_;
  image::ContentWriter& sums_;
  const image::ContentReader* const parent_;
  const image::ContentShape shape_;

  std::uint64_t segment_ = 0;             // where the one begins that is being filled
  bool begun_ = false;                    // its sums are here:
  std::vector<image::Sum> before_, now_;  // of the parent, and of what is written
};

}  // namespace holdfast::capture
