// Whether QEMU can serve a disk over NBD without danger to itself.
#pragma once

#include <string>
#include <vector>

#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

// EOPNOTSUPP for a disk that an iothread of a QEMU before 9.0 works for. An NBD export runs in the thread of
// its disk, and when a client hangs up there, those QEMUs abort (nbd_blockdev_client_closed: Assertion
// qemu_in_main_thread()): with them the guest. And a client can hang up at any time, as when it is killed.
// Where it can't be told which disk the threads work for, as at a storage daemon, each of them counts.
Result<> check_threads(Source& source, const std::vector<std::string>& nodes);

}  // namespace holdfast::source::qmp
