// Resumes reading when the connection to a source drops, while the freeze holds.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "engine/sources/driver.h"

namespace holdfast::capture {

struct Retries {
  int most = 4;                                // in a row, without a byte between them
  std::chrono::milliseconds first_pause{100};  // doubled each time
};

// Wraps a DiskReader. Delivered pieces are not read again, so that the sink sees each piece once. Only lost
// connections are retried, because other errors would repeat. Used by one thread at a time.
class RetryingReader final : public source::DiskReader {
 public:
  // `cancel` ends the pauses between tries. It outlives the object; null: nobody cancels.
  RetryingReader(std::unique_ptr<source::DiskReader> below, const Retries& retries,
                 const source::Cancel* cancel = nullptr)
      : below_(std::move(below)), retries_(retries), cancel_(cancel) {}

  Result<std::vector<source::Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const source::Range> ranges, const Sink& sink,
                const source::Cancel& cancel) override;

 private:
  const std::unique_ptr<source::DiskReader> below_;
  const Retries retries_;
  const source::Cancel* const cancel_;
};

}  // namespace holdfast::capture
