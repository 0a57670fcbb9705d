// The first cluster of an image: read strictly, written in one way only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/format.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// What the reader needs of a header, checked, and what the writer puts into one.
struct Header {
  int version = 3;
  Geometry geometry;
  std::uint64_t virtual_size = 0;
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_entries = 0;
  std::uint64_t refcount_table_offset = 0;
  std::uint32_t refcount_table_clusters = 0;
  bool zstd = false;  // what compressed clusters are compressed with: zstd, or else deflate
  std::string backing_file;
  std::optional<ImageId> id;  // none: not written by Holdfast
};

// `start` is the beginning of the file, at least its first cluster or all of it; `file_size` is what tables
// must lie inside of. EINVAL, naming the image, for what can't be read rightly.
Result<Header> parse_header(const std::string& name, ByteView start, std::uint64_t file_size);

// Reads as much of a file as a header can be in, and parses it.
Result<Header> read_header(const File& image);

// One whole cluster. EINVAL when the backing name doesn't fit.
Result<Bytes> print_header(const Header& header);

}  // namespace holdfast::image
