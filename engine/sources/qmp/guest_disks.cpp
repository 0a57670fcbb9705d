#include "engine/sources/qmp/guest_disks.h"

#include <algorithm>

namespace holdfast::source::qmp {

Result<GuestDisks> GuestDisks::of(Monitor& monitor) {
  GuestDisks found;
  const auto answer = monitor.execute("query-block");
  if (!answer && answer.error().code == ENOSYS) return found;
  if (!answer) return tl::make_unexpected(answer.error());
  for (const Json& block : *answer) {
    const auto inserted = block.find("inserted");
    std::string device = text_of(block, "qdev");
    if (inserted == block.end() || device.empty()) continue;
    if (!device.starts_with('/'))
      device = "/machine/peripheral/" + device;  // QEMU returns the id if the device has one
    found.disks_.push_back({std::move(device), text_of(*inserted, "node-name")});
  }
  return found;
}

const GuestDisk* GuestDisks::with(std::string_view node) const {
  const auto disk = std::ranges::find(disks_, node, &GuestDisk::node);
  return disk == disks_.end() ? nullptr : &*disk;
}

}  // namespace holdfast::source::qmp
