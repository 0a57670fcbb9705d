// Reads no faster than it may, and no more than there is room for.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/capture/throttle.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// A DiskReader over another. Each piece waits for its turn at every throttle before the sink sees it; what
// waits holds back the reader below (back-pressure). ENOSPC when the room that is to stay free is touched.
class GovernedReader final : public source::DiskReader {
 public:
  // Whether there is room for more: ENOSPC with a sentence when there isn't.
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
  std::uint64_t until_asked_ = 0;  // bytes until the room is asked for again
};

}  // namespace holdfast::capture
