// Goes on where it was when a connection to the source drops, for as long as the freeze holds.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "engine/sources/driver.h"

namespace holdfast::capture {

struct Retries {
  int most = 4;                                // in a row, without a byte in between
  std::chrono::milliseconds first_pause{100};  // doubled each time
};

// A DiskReader over another. What has been delivered is not asked for again, so that the sink sees each piece
// once. Only lost connections are tried again: what a source refuses, or can't read, it would again.
class RetryingReader final : public source::DiskReader {
 public:
  RetryingReader(std::unique_ptr<source::DiskReader> below, const Retries& retries)
      : below_(std::move(below)), retries_(retries) {}

  Result<std::vector<source::Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const source::Range> ranges, const Sink& sink,
                const source::Cancel& cancel) override;

 private:
  const std::unique_ptr<source::DiskReader> below_;
  const Retries retries_;
};

}  // namespace holdfast::capture
