// The image as libqcow reads it.
#pragma once

#include <cstdint>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"

namespace holdfast::foreign {

// The image of this process (protocol.h). There is only one, and it outlives all other objects. One thread.
class LibqcowImage {
 public:
  // libqcow reads the first `file_size` bytes of the file and no more.
  static Result<LibqcowImage> open(std::uint64_t file_size);

  std::uint32_t version() const { return version_; }
  std::uint64_t size() const { return size_; }  // the disk's
  Result<> read(std::uint64_t offset, ByteSpan into);

 private:
  LibqcowImage() = default;

  std::intptr_t* file_ = nullptr;  // libqcow's; freed by the process's end
  std::uint32_t version_ = 0;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast::foreign
