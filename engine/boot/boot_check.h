// Boots a point's disks in an isolated QEMU, and stores whether the system comes up.
//
// The point stays as it is: reads are verified reads of its layers (law 13), and what the guest writes goes
// to a file without a name. QEMU sees neither files of the repository nor a network, so neither the guest nor
// a hostile image reaches the host (law 19). A check that could not be made, because a disk can't be read or
// QEMU ends, says nothing of the point: no result is stored (law 21).
#pragma once

#include <chrono>

#include "catalog/model/boot_expect.h"
#include "catalog/model/entities.h"
#include "engine/common/progress.h"
#include "engine/common/services.h"
#include "engine/sources/driver.h"

namespace holdfast::boot {

struct BootRequest {
  Id point = 0;
  BootExpect expect;
  std::chrono::seconds timeout{};
  BootBus bus = BootBus::virtio;
};

// Returns the result, stored with a picture of the screen in the catalog and, if the repository may be
// written, beside the manifest. ENOENT: the point has gone, or QEMU is not installed.
Result<BootCheck> check_boot(const capture::Services& services, const BootRequest& request,
                             ProgressMeter& progress, const source::Cancel& cancel);

}  // namespace holdfast::boot
