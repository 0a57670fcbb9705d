#include "fsd/tree/files/image_file.h"

#include <algorithm>

namespace holdfast::tree {

Result<std::size_t> ImageFile::read(std::uint64_t offset, ByteSpan into) {
  if (offset >= image_->size()) return 0;
  const std::size_t length = std::min<std::uint64_t>(into.size(), image_->size() - offset);
  auto done = image_->read(offset, into.first(length));
  if (!done) {
    failed_(done.error());
    return tl::make_unexpected(std::move(done).error());
  }
  return length;
}

Result<std::uint64_t> ImageFile::seek(std::uint64_t offset, Seek what) {
  const std::uint64_t size = image_->size();
  if (offset >= size) return fail(ENXIO, "offset {} is not before the end of the image, {}", offset, size);
  while (offset < size) {
    auto extent = image_->extent(offset, size - offset);
    if (!extent) {
      failed_(extent.error());
      return tl::make_unexpected(std::move(extent).error());
    }
    const bool is_data = extent->kind == image::ReadExtent::Kind::data;
    if (is_data == (what == Seek::data)) return offset;
    offset = extent->offset + extent->length;
  }
  if (what == Seek::hole) return size;  // every file ends in a hole
  return fail(ENXIO, "no data follows offset {}", offset);
}

}  // namespace holdfast::tree
