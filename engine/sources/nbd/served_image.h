// A disk image as QEMU reads it, through a qemu-nbd of its own: the second opinion on stored images.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"

struct nbd_handle;

namespace holdfast::source::nbd {

// Serves a qcow2 image with its backing files, so only for chains whose checksums were verified. One thread
// at a time. The program ends with this object, or with the process.
class ServedImage {
 public:
  // ENOENT: qemu-nbd is not installed.
  static Result<std::unique_ptr<ServedImage>> open(const std::string& path);
  ~ServedImage();
  ServedImage(const ServedImage&) = delete;
  ServedImage& operator=(const ServedImage&) = delete;

  std::uint64_t size() const { return size_; }
  Result<> read(std::uint64_t offset, ByteSpan into);
  // Returns the number of bytes from `offset` on that QEMU knows to be zeros without reading; 0: data.
  Result<std::uint64_t> zeros(std::uint64_t offset, std::uint64_t at_most);

 private:
  ServedImage(nbd_handle* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  tl::unexpected<Error> failure() const;

  nbd_handle* const handle_;
  const std::string path_;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast::source::nbd
