// Reads a frozen disk through the filter of a QEMU before 9.0, which misreports ranges of which only a part
// was copied (copy_filter.h).
#pragma once

#include <memory>

#include "engine/sources/driver.h"

namespace holdfast::source::qmp {

// Finds the holes without the filter. An area is zero at the frozen instant if two exports say so, asked in
// this order: the guest's own disk, then the scratch image.
//
//   the guest's disk        the scratch image       at the frozen instant
//   reads as zeros          nothing is copied       zeros: nothing was written there until the second answer
//   reads as zeros          copied, zeros           zeros
//   reads as zeros          copied, data            data, which the guest has discarded since
//   data                    any                     not known, so it is read
class ErringReader final : public DiskReader {
 public:
  // `frozen` reports changes and no zeros; `disk` and `scratch` report zeros.
  ErringReader(std::unique_ptr<DiskReader> frozen, std::unique_ptr<DiskReader> disk,
               std::unique_ptr<DiskReader> scratch)
      : frozen_(std::move(frozen)), disk_(std::move(disk)), scratch_(std::move(scratch)) {}

  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override {
    return frozen_->read(ranges, sink, cancel);
  }

 private:
  const std::unique_ptr<DiskReader> frozen_, disk_, scratch_;
};

}  // namespace holdfast::source::qmp
