// Stands between a transfer and the image. Records the sums of the disk's content and passes on only what
// differs from the parent.
//
// This serves sources that can't tell what has changed: the disk is read whole, and unchanged data is not
// stored. Sums are read and written in the disk's order, a segment at a time, so that memory does not grow
// with the disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/image/content_sums.h"
#include "engine/image/writer.h"

namespace holdfast::capture {

// Keeps a Writer's promises. Clusters that are not written are the parent's; in a full, zeros. Used by one
// thread at a time.
class ContentFilter final : public image::Writer {
 public:
  // The arguments must outlive the object. `parent` is null in a full.
  ContentFilter(image::Writer& image, image::ContentWriter& sums, const image::ContentReader* parent,
                const image::ContentShape& shape)
      : image_(image), sums_(sums), parent_(parent), shape_(shape) {}

  Result<> write(std::uint64_t offset, ByteView data) override;
  Result<> zero(std::uint64_t offset, std::uint64_t length) override;
  Result<> finish_segment(std::uint64_t offset) override;
  Result<image::WriterSummary> finish() override;  // the image's; the caller finishes the sums

 private:
  Result<> enter(std::uint64_t offset);
  Result<> begin_segment();
  Result<> end_segment();
  std::uint64_t index(std::uint64_t offset) const { return (offset - segment_) / shape_.cluster_size; }

  image::Writer& image_;
  image::ContentWriter& sums_;
  const image::ContentReader* const parent_;
  const image::ContentShape shape_;

  std::uint64_t segment_ = 0;             // offset of the segment being filled
  bool begun_ = false;                    // the segment's sums are loaded:
  std::vector<image::Sum> before_, now_;  // the parent's, and this point's
};

}  // namespace holdfast::capture
