// The first cluster of an image, parsed strictly and printed in one way only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/format.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// The checked header fields that the reader needs and the writer sets.
struct Header {
  int version = 3;
  Geometry geometry;
  std::uint64_t virtual_size = 0;
  std::uint64_t l1_offset = 0;
  std::uint32_t l1_entries = 0;
  std::uint64_t refcount_table_offset = 0;
  std::uint32_t refcount_table_clusters = 0;
  bool zstd = false;  // the codec of compressed clusters: zstd, otherwise deflate
  std::string backing_file;
  std::optional<ImageId> id;  // absent if another program wrote the image
};

// `start` is the beginning of the file: at least its first cluster, or the whole file. Tables must lie within
// `file_size`. EINVAL as damage, naming the image, if it can't be read correctly.
Result<Header> parse_header(const std::string& name, ByteView start, std::uint64_t file_size);

// Reads and parses the header of a file.
Result<Header> read_header(const File& image);

// Returns one whole cluster. EINVAL if the backing name doesn't fit.
Result<Bytes> print_header(const Header& header);

}  // namespace holdfast::image
