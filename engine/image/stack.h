// Reads a chain of qcow2 layers as the disk that it is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/disk.h"
#include "catalog/base/error.h"

namespace holdfast::image {

// One layer to open. Backing names inside the images are never followed: the caller says what rests on
// what.
struct LayerFiles {
  std::unique_ptr<File> image;
  std::unique_ptr<File> sums;  // null: read without checking
};

struct ReadExtent {
  enum class Kind { data, zero, hole };  // zero: written as zeros; hole: no layer has it
  Kind kind = Kind::hole;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::size_t layer = 0;  // of data and zero: 0 is the newest
};

// Immutable; any thread may call; memory is bounded whatever the disk's size or the chain's length.
class Stack {
 public:
  // Newest layer first; the last one must rest on nothing. Refuses, with a sentence, what it can't read
  // rightly.
  static Result<std::shared_ptr<Stack>> open(std::vector<LayerFiles> layers);
  virtual ~Stack() = default;

  virtual std::uint64_t size() const = 0;
  virtual std::uint32_t cluster_size() const = 0;  // of the newest layer
  // All of `into`, or an error: EIO when a stored cluster fails its checksum, naming file and offset.
  // offset + into.size() must lie inside the disk.
  virtual Result<> read(std::uint64_t offset, ByteSpan into) const = 0;
  // The extent that `offset` is in, from there on, at most `at_most` long, neighbours of one kind (and
  // layer) joined.
  virtual Result<ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const = 0;
};

// What a header says, for sentences and `inspect`. EINVAL: no qcow2, or one that we can't read rightly.
struct ImageFacts {
  int version = 0;
  std::uint64_t virtual_size = 0;
  std::uint32_t cluster_size = 0;
  std::string backing_file;
  std::string image_id;  // hex; "" when it isn't ours
  bool zstd = false;
};
Result<ImageFacts> inspect(const File& image);

// Told how many bytes of an image have been looked at since the last time; its error ends the looking.
using Watch = std::function<Result<>(std::uint64_t bytes)>;

// Reads every stored cluster of one layer and compares it with its sums: EIO names the first that differs.
Result<> verify_layer(const File& image, const File& sums, const Watch& watch = {});

}  // namespace holdfast::image
