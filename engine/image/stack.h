// Reads a chain of qcow2 layers as one disk.
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

// The files of one layer. Backing names inside images are never followed: the caller gives the layers in
// order.
struct LayerFiles {
  std::unique_ptr<File> image;
  std::unique_ptr<File> sums;  // null: the image is read without checks
};

struct ReadExtent {
  enum class Kind { data, zero, hole };  // zero: an explicit zero; hole: no layer has an entry
  Kind kind = Kind::hole;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::size_t layer = 0;  // only for data and zero: 0 is the newest
};

// Immutable; any thread may call. Memory is bounded, whatever the disk's size and the chain's length.
class Stack {
 public:
  // Newest layer first; the last one must have no backing file. Refuses, with a sentence, images that it
  // can't read correctly.
  static Result<std::shared_ptr<Stack>> open(std::vector<LayerFiles> layers);
  virtual ~Stack() = default;

  virtual std::uint64_t size() const = 0;
  virtual std::uint32_t cluster_size() const = 0;  // the newest layer's
  // Fills all of `into`, or fails: EIO, naming file and offset, if a stored cluster fails its checksum.
  // offset + into.size() must lie within the disk.
  virtual Result<> read(std::uint64_t offset, ByteSpan into) const = 0;
  // Returns the extent at `offset`, at most `at_most` long, with neighbours of one kind and layer joined.
  virtual Result<ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const = 0;
};

// The facts that a header states, for sentences and `inspect`. EINVAL: no qcow2 image, or one that can't be
// read correctly.
struct ImageFacts {
  int version = 0;
  std::uint64_t virtual_size = 0;
  std::uint32_t cluster_size = 0;
  std::string backing_file;
  std::string image_id;  // in hex; "" if another program wrote the image
  bool zstd = false;
};
Result<ImageFacts> inspect(const File& image);

// Called with the number of bytes checked since its last call. An error that it returns ends the check.
using Watch = std::function<Result<>(std::uint64_t bytes)>;

// Reads every stored cluster of one layer and compares it with its sum. EIO names the first that differs.
Result<> verify_layer(const File& image, const File& sums, const Watch& watch = {});

}  // namespace holdfast::image
