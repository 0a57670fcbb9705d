// A disk's reader that vouches for the freeze.
#pragma once

#include <memory>
#include <string>

#include "catalog/base/disk.h"
#include "engine/sources/driver.h"
#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

// ENOSPC when the copies of overwritten clusters would soon find no room.
//
// With a full scratch area QEMU fails the *guest's* writes while the job goes on as if nothing were: so the
// run ends before it comes to that, and its end frees the guest.
Result<> check_scratch_space(const Directory& scratch);

// What was read counts only if the copying job still ran afterwards: when someone ends it, the export goes
// on, with what the guest writes now.
class FrozenReader final : public DiskReader {
 public:
  FrozenReader(std::unique_ptr<DiskReader> reader, std::shared_ptr<Source> source, std::string job,
               std::unique_ptr<Directory> scratch)
      : reader_(std::move(reader)),
        source_(std::move(source)),
        job_(std::move(job)),
        scratch_(std::move(scratch)) {}

  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override;

 private:
  Result<> check_still_frozen();

  const std::unique_ptr<DiskReader> reader_;
  const std::shared_ptr<Source> source_;
  const std::string job_;
  const std::unique_ptr<Directory> scratch_;
};

}  // namespace holdfast::source::qmp
