// Raw files and block devices of this host: LVM volumes, zvols, disks, images.
#pragma once

#include "engine/sources/driver.h"

namespace holdfast::source::file {

// Reads everything, since nobody tells what has changed, and finds holes where the file system knows them.
// Makes nothing anywhere, so there is nothing to sweep.
//
// Who else has a file open, and writes to it, can't be known: a point of it says `consistency: none`, and so
// do several disks, which are read one after the other. A read that the kernel doesn't end (a dead network
// file system) can't be ended here either.
class FileDriver final : public Driver {
 public:
  Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) override;
  Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers, bool committed,
                 Ledger& ledger) override;
  Result<std::vector<Discovered>> discover(const MachineDefinition& machine) override;
};

}  // namespace holdfast::source::file
