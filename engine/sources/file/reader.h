#pragma once

#include <memory>

#include "engine/sources/driver.h"
#include "engine/sources/file/disk_file.h"

namespace holdfast::source::file {

// Reads one after the other, a MiB at a time: the kernel reads ahead.
class Reader final : public DiskReader {
 public:
  explicit Reader(std::shared_ptr<const DiskFile> disk) : disk_(std::move(disk)) {}

  // Where the file system, or the device, does not know of holes, all is data.
  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override;

 private:
  // EIO when the file is shorter than it was: what is beyond its end would be taken for a hole.
  Result<> check_whole() const;
  Result<> fill(std::uint64_t offset, ByteSpan into) const;

  const std::shared_ptr<const DiskFile> disk_;
  Bytes buffer_;
};

}  // namespace holdfast::source::file
