// Limits a reader's speed, and stops it before the repository is full.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/capture/throttle.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// Wraps a DiskReader. Each piece waits at every throttle before the sink gets it, which slows the reader
// below. Returns ENOSPC when the room to be kept free is reached. Used by one thread at a time.
class GovernedReader final : public source::DiskReader {
 public:
  // Returns ENOSPC, with a sentence, if there is no room for more.
  using Room = std::function<Result<>()>;

  GovernedReader(std::unique_ptr<source::DiskReader> below, std::vector<std::shared_ptr<Throttle>> throttles,
                 Room room)
      : below_(std::move(below)), throttles_(std::move(throttles)), room_(std::move(room)) {}

  Result<std::vector<source::Extent>> extents(std::uint64_t offset, std::uint64_t length) override {
    return below_->extents(offset, length);
  }
  Result<> read(std::span<const source::Range> ranges, const Sink& sink,
                const source::Cancel& cancel) override;

 private:
  const std::unique_ptr<source::DiskReader> below_;
  const std::vector<std::shared_ptr<Throttle>> throttles_;
  const Room room_;
  std::uint64_t until_asked_ = 0;  // bytes until free space is checked again
};

}  // namespace holdfast::capture
