#pragma once

#include <memory>

#include "engine/sources/driver.h"
#include "engine/sources/file/disk_file.h"

namespace holdfast::source::file {

// Reads in order, a MiB at a time, so that the kernel reads ahead.
class Reader final : public DiskReader {
 public:
  explicit Reader(std::shared_ptr<const DiskFile> disk) : disk_(std::move(disk)) {}

  // Everything is data if the file system or the device doesn't know holes.
  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override;

 private:
  // EIO if the file is shorter than it was, because bytes beyond its end would read as a hole.
  Result<> check_whole() const;
  Result<> fill(std::uint64_t offset, ByteSpan into) const;

  const std::shared_ptr<const DiskFile> disk_;
  Bytes buffer_;
};

}  // namespace holdfast::source::file
