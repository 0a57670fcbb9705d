// A disk's reader that vouches for the freeze.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "engine/sources/driver.h"
#include "engine/sources/qmp/scratch_watch.h"
#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

// Whether the instant still holds; called after each reading, so that what was read before an instant was
// lost counts for nothing.
using StillFrozen = std::function<Result<>()>;

// The copying job runs: when somebody ends it, the export goes on, with what the guest writes now.
StillFrozen by_job(std::shared_ptr<Source> source, std::string job, std::shared_ptr<ScratchWatch> watch);
// The guest writes through our filter.
StillFrozen by_filter(std::shared_ptr<Source> source, std::string top);

class FrozenReader final : public DiskReader {
 public:
  // `size`: of the disk.
  FrozenReader(std::unique_ptr<DiskReader> reader, std::uint64_t size, StillFrozen still_frozen,
               std::string scratch)
      : reader_(std::move(reader)),
        size_(size),
        still_frozen_(std::move(still_frozen)),
        scratch_(std::move(scratch)) {}

  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override;

 private:
  using Clock = std::chrono::steady_clock;

  Error explain(Error error) const;

  const std::unique_ptr<DiskReader> reader_;
  const std::uint64_t size_;
  const StillFrozen still_frozen_;
  const std::string scratch_;
  Clock::time_point look_at_{};  // at the room in the scratch area, next
};

}  // namespace holdfast::source::qmp
