// A disk reader that checks the freeze.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "engine/sources/driver.h"
#include "engine/sources/qmp/monitor.h"
#include "engine/sources/qmp/scratch_watch.h"

namespace holdfast::source::qmp {

// Checks that the instant still holds. It is called after each read, so that bytes of a lost instant never
// count.
using StillFrozen = std::function<Result<>()>;

// Checks the copying job: when it ends, the export shows the guest's later writes.
StillFrozen by_job(std::shared_ptr<Monitor> monitor, std::string job);
// Checks that the guest writes through our filter.
StillFrozen by_filter(std::shared_ptr<Monitor> monitor, std::string top);

class FrozenReader final : public DiskReader {
 public:
  // `size` is the disk's.
  FrozenReader(std::unique_ptr<DiskReader> reader, std::uint64_t size, StillFrozen still_frozen,
               ScratchArea scratch, std::shared_ptr<ScratchWatch> watch)
      : reader_(std::move(reader)),
        size_(size),
        still_frozen_(std::move(still_frozen)),
        scratch_(std::move(scratch)),
        watch_(std::move(watch)) {}

  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override;

 private:
  using Clock = std::chrono::steady_clock;

  Error explain(Error error) const;

  const std::unique_ptr<DiskReader> reader_;
  const std::uint64_t size_;
  const StillFrozen still_frozen_;
  const ScratchArea scratch_;
  const std::shared_ptr<ScratchWatch> watch_;
  Clock::time_point look_at_{};  // the next check of the room in the scratch area
};

}  // namespace holdfast::source::qmp
