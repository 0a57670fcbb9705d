#include "engine/sources/qmp/threads.h"

#include <algorithm>

#include "engine/sources/qmp/guest_disks.h"

namespace holdfast::source::qmp {
namespace {

constexpr int kFirstSafe = 9;  // the major version that handles a client's end in the main thread

// Looks for iothreads made by name, the only ones that devices and exports can have.
Result<bool> has_iothreads(Monitor& monitor) {
  const auto objects = monitor.execute("qom-list", {{"path", "/objects"}});
  if (!objects && objects.error().code == ENOENT) return false;  // no objects of any kind
  if (!objects) return tl::make_unexpected(objects.error());
  return std::ranges::any_of(*objects,
                             [](const Json& each) { return text_of(each, "type") == "child<iothread>"; });
}

// Returns "" if there is no such property, and so no such thread.
Result<std::string> text_property(Monitor& monitor, const std::string& path, const char* property) {
  const auto value = monitor.execute("qom-get", {{"path", path}, {"property", property}});
  if (value) return value->is_string() ? value->get<std::string>() : "";
  if (value.error().code == EREMOTEIO || value.error().code == ENOENT) return "";
  return tl::make_unexpected(value.error());
}

// Checks the device's own thread, and that of its controller.
Result<bool> has_thread(Monitor& monitor, const std::string& device) {
  HF_TRY(const std::string own, text_property(monitor, device, "iothread"));
  if (!own.empty()) return true;
  HF_TRY(const std::string bus, text_property(monitor, device, "parent_bus"));
  if (bus.empty()) return false;
  HF_TRY(const std::string of_controller,
         text_property(monitor, bus.substr(0, bus.find_last_of('/')), "iothread"));
  return !of_controller.empty();
}

}  // namespace

Result<> check_threads(Monitor& monitor, const std::vector<std::string>& nodes) {
  HF_TRY(const int major, monitor.major_version());
  if (major >= kFirstSafe) return {};
  HF_TRY(const bool any, has_iothreads(monitor));
  if (!any) return {};
  HF_TRY(const GuestDisks guest, GuestDisks::of(monitor));
  for (const std::string& node : nodes) {
    const GuestDisk* disk = guest.with(node);
    bool threaded = disk == nullptr;
    if (disk != nullptr) {
      HF_TRY(threaded, has_thread(monitor, disk->device));
    }
    if (threaded)
      return fail(EOPNOTSUPP,
                  "block node {} may have an iothread, and QEMU before 9.0 aborts, with its guest, when an "
                  "NBD client "
                  "of such a disk hangs up: remove the iothread from the disk, or use a newer QEMU",
                  node);
  }
  return {};
}

}  // namespace holdfast::source::qmp
