// Whether QEMU can serve a disk over NBD without danger to itself.
#pragma once

#include <string>
#include <vector>

#include "engine/sources/qmp/monitor.h"

namespace holdfast::source::qmp {

// EOPNOTSUPP if an iothread of a QEMU before 9.0 serves a disk. An NBD export runs in its disk's thread. When
// a client hangs up there, such a QEMU aborts, and the guest with it (nbd_blockdev_client_closed: Assertion
// qemu_in_main_thread()). A client can hang up at any time, for example when it is killed. At a storage
// daemon the disks of a thread aren't known, so any iothread counts.
Result<> check_threads(Monitor& monitor, const std::vector<std::string>& nodes);

}  // namespace holdfast::source::qmp
