// An image, as libqcow sees it.
#pragma once

#include <cstdint>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"

namespace holdfast::foreign {

// The image that is this process's (protocol.h); there is one, and it outlives all else. One thread.
class LibqcowImage {
 public:
  // `file_size` is all that libqcow gets to see of the file.
  static Result<LibqcowImage> open(std::uint64_t file_size);

  std::uint32_t version() const { return version_; }
  std::uint64_t size() const { return size_; }  // of the disk
  Result<> read(std::uint64_t offset, ByteSpan into);

 private:
  LibqcowImage() = default;

  std::intptr_t* file_ = nullptr;  // libqcow's; left to the end of the process
  std::uint32_t version_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast::foreign
