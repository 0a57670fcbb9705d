#include "engine/sources/file/fields.h"

namespace holdfast::source::file {
namespace {

using json::Need;
using json::Setter;

const json::Shape<ImageName>& disk_shape() {
  using D = ImageName;
  static const json::Shape<D> shape{
      "",
      {json::field("path", &D::path, json::absolute_path(), "A file or a block device of this host.",
                   Need::required, Setter::root),
       json::field("format", &D::format, json::word<ImageFormat>(),
                   "What the file holds: the bytes of the disk, or a qcow2 image, which qemu-nbd reads."),
       json::field("shared", &D::shared, json::boolean(),
                   "Whether the file is read although a QEMU has it open for writing. What the QEMU writes "
                   "meanwhile may or may not be in the point.")},
      {}};
  return shape;
}

json::Rule<DiskDefinition> only_raw_is_shared() {
  return {{{"if", {{"properties", {{"shared", {{"const", true}}}}}, {"required", {"shared"}}}},
           {"then", {{"properties", {{"format", {{"const", "raw"}}}}}}}},
          [](const DiskDefinition& disk) -> Result<> {
            HF_TRY(const ImageName own, fields_of(disk));
            if (own.shared && own.format != ImageFormat::raw)
              return fail(EINVAL,
                          "disk \"{}\" is \"shared\" and a qcow2 image: its tables can't be read while "
                          "another program changes them; only a raw disk can be shared",
                          disk.name);
            return {};
          }};
}

}  // namespace

Result<ImageName> fields_of(const DiskDefinition& disk) { return own_fields(disk_shape(), disk.fields); }

const Fields& fields() {
  static const Fields all{.machine = {},
                          .disk = carried<DiskDefinition>(disk_shape()),
                          .disk_rules = {only_raw_is_shared()},
                          .disk_defaults = json::stored_text(disk_shape(), {})};
  return all;
}

}  // namespace holdfast::source::file
