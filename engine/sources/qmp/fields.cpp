#include "engine/sources/qmp/fields.h"

namespace holdfast::source::qmp {
namespace {

using json::Need;
using json::Setter;

// An absolute path that is short enough for a unix socket.
json::Value<std::string> socket_path() {
  constexpr std::size_t kAtMost = 107;  // sockaddr_un
  return json::text_that(
      fmt::format("the absolute path of a socket, of at most {} bytes", kAtMost),
      {{"type", "string"}, {"pattern", "^/"}, {"maxLength", kAtMost}},
      [](const std::string& value) { return value.starts_with('/') && value.size() <= kAtMost; });
}

const json::Shape<MachineFields>& machine_shape() {
  using D = MachineFields;
  static const json::Shape<D> shape{
      "",
      {json::field("socket", &D::socket, socket_path(), "The QMP socket of its QEMU or storage daemon.",
                   Need::required, Setter::root),
       json::field(
           "quiesce", &D::quiesce, json::word<Quiesce>(),
           "Whether the guest's agent freezes its file systems for the instant of the freeze: auto where "
           "there is one.")},
      {}};
  return shape;
}

const json::Shape<DiskFields>& disk_shape() {
  static const json::Shape<DiskFields> shape{
      "",
      {json::field("node", &DiskFields::node, json::text_not_empty(),
                   "The block node that the guest writes to.", Need::required, Setter::root),
       json::field("path", &DiskFields::path, json::optional(json::absolute_path()),
                   "The disk's image on this host, read while the machine is off.", Need::optional,
                   Setter::root),
       json::field("format", &DiskFields::format, json::word<file::ImageFormat>(),
                   "What the image holds: the bytes of the disk, or a qcow2 image.")},
      {}};
  return shape;
}

}  // namespace

Result<MachineFields> fields_of(const MachineDefinition& machine) {
  return own_fields(machine_shape(), machine.fields);
}

Result<DiskFields> fields_of(const DiskDefinition& disk) { return own_fields(disk_shape(), disk.fields); }

const Fields& fields() {
  static const Fields all{.machine = carried<MachineDefinition>(machine_shape()),
                          .disk = carried<DiskDefinition>(disk_shape()),
                          .disk_rules = {},
                          .machine_defaults = json::stored_text(machine_shape(), {}),
                          .disk_defaults = json::stored_text(disk_shape(), {})};
  return all;
}

}  // namespace holdfast::source::qmp
