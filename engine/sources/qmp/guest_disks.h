// The disk devices of a guest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/sources/qmp/monitor.h"

namespace holdfast::source::qmp {

struct GuestDisk {
  std::string device;  // path in QEMU's tree of objects
  std::string node;    // the block node that the device reads and writes
};

// A snapshot of all of them; empty for a storage daemon.
class GuestDisks {
 public:
  static Result<GuestDisks> of(Monitor& monitor);

  // Returns the device with that node; nullptr if none has it, for example because another node lies above
  // it.
  const GuestDisk* with(std::string_view node) const;

 private:
  std::vector<GuestDisk> disks_;
};

}  // namespace holdfast::source::qmp
