// The files of a layer, and what can be said of them without the other layers of their chain.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"

namespace holdfast::image {

// The files of one layer. Backing names inside images are never followed: the caller gives the layers in
// order.
struct LayerFiles {
  std::unique_ptr<File> image;
  std::unique_ptr<File> sums;  // null: the image is read without checks
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

// Reads every stored cluster of one layer and compares it with its sum. Damage names the first that differs.
Result<> verify_layer(const File& image, const File& sums, const Watch& watch = {});

}  // namespace holdfast::image
