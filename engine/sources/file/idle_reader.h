// A disk reader that checks after each read that nobody has begun to write to what is read.
#pragma once

#include <functional>
#include <memory>

#include "engine/sources/driver.h"

namespace holdfast::source::file {

// Bytes and extents count only if `still_idle` succeeds after they were read.
class IdleReader final : public DiskReader {
 public:
  IdleReader(std::unique_ptr<DiskReader> reader, std::function<Result<>()> still_idle)
      : reader_(std::move(reader)), still_idle_(std::move(still_idle)) {}

  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override {
    auto extents = reader_->extents(offset, length);
    HF_CHECK(still_idle_());
    return extents;
  }

  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override {
    const auto watchful = [&](std::uint64_t offset, ByteView data) -> Result<> {
      HF_CHECK(still_idle_());
      return sink(offset, data);
    };
    auto read = reader_->read(ranges, watchful, cancel);
    HF_CHECK(still_idle_());
    return read;
  }

 private:
  const std::unique_ptr<DiskReader> reader_;
  const std::function<Result<>()> still_idle_;
};

}  // namespace holdfast::source::file
