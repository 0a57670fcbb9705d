// The driver of raw files and block devices of this host: LVM volumes, zvols, disks, images.
#pragma once

#include "engine/sources/driver.h"

namespace holdfast::source::file {

// Reads everything, because no one tells it what has changed, and skips holes that the file system knows. It
// makes nothing at the source, so there is nothing to sweep.
//
// Other programs may write to an open file unnoticed, and several disks are read one after the other, so a
// point says `consistency: none`. A read that the kernel doesn't end (a dead network file system) can't be
// cancelled.
class FileDriver final : public Driver {
 public:
  Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) override;
  Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers, PointFate fate,
                 Ledger& ledger) override;
  Result<std::vector<std::string>> host_paths(const MachineDefinition& machine) override;
  Result<std::vector<Discovered>> discover(const MachineDefinition& machine) override;
};

}  // namespace holdfast::source::file
