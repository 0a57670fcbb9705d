// The guest's devices that have disks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

struct GuestDisk {
  std::string device;  // its path in QEMU's tree of objects
  std::string node;    // the block node that it reads and writes
};

// One look at all of them. A storage daemon has none.
class GuestDisks {
 public:
  static Result<GuestDisks> of(Source& source);

  // The device with that node; nullptr where none has it, as where the node lies below another one.
  const GuestDisk* with(std::string_view node) const;

 private:
  std::vector<GuestDisk> disks_;
};

}  // namespace holdfast::source::qmp
