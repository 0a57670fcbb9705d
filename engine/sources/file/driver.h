// The driver of image files and block devices of this host: LVM volumes, zvols, disks, raw and qcow2 images.
#pragma once

#include "engine/sources/driver.h"
#include "engine/sources/nbd/connection.h"

namespace holdfast::source::file {

// Reads everything, because no one tells it what has changed, and skips holes that the file system knows. It
// makes nothing at the source, so there is nothing to sweep.
//
// Other programs than QEMU may write to an open file unnoticed, and several disks are read one after the
// other, so a point says `consistency: none`. A QEMU that opens an image for writing gets it, and the capture
// ends. A read that the kernel doesn't end (a dead network file system) can't be
// cancelled.
class FileDriver final : public Driver {
 public:
  FileDriver() = default;
  explicit FileDriver(const nbd::Limits& limits) : limits_(limits) {}

  Result<std::unique_ptr<Capture>> prepare(const PrepareRequest& request, Ledger& ledger) override;
  Result<> sweep(const MachineDefinition& machine, std::span<const Leftover> leftovers, PointFate fate,
                 Ledger& ledger) override;
  Result<std::vector<HostName>> host_names(const MachineDefinition& machine) override;
  Result<std::vector<Discovered>> discover(const MachineDefinition& machine) override;

 private:
  const nbd::Limits limits_;
};

}  // namespace holdfast::source::file
