// A disk image as QEMU reads it, through a qemu-nbd of our own: the second opinion on what is stored.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"

struct nbd_handle;

namespace holdfast::source::nbd {

// A qcow2 with all that its backing names lead to: only for chains whose checksums were found right. One
// thread at a time. The program ends with this, or with our process.
class ServedImage {
 public:
  // ENOENT: there is no qemu-nbd.
  static Result<std::unique_ptr<ServedImage>> open(const std::string& path);
  ~ServedImage();
  ServedImage(const ServedImage&) = delete;
  ServedImage& operator=(const ServedImage&) = delete;

  std::uint64_t size() const { return size_; }
  Result<> read(std::uint64_t offset, ByteSpan into);
  // How many of the bytes from there on QEMU knows to be zeros without reading them; 0: it has data there.
  Result<std::uint64_t> zeros(std::uint64_t offset, std::uint64_t at_most);

 private:
  ServedImage(nbd_handle* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  tl::unexpected<Error> failure() const;

  nbd_handle* const handle_;
  const std::string path_;
  std::uint64_t size_ = 0;
};

}  // namespace holdfast::source::nbd
