#include "engine/sources/file/fields.h"

namespace holdfast::source::file {
namespace {

using json::Need;
using json::Setter;

const json::Shape<DiskFields>& disk_shape() {
  static const json::Shape<DiskFields> shape{
      "",
      {json::field("path", &DiskFields::path, json::absolute_path(), "A file or a block device of this host.",
                   Need::required, Setter::root)},
      {}};
  return shape;
}

}  // namespace

Result<DiskFields> fields_of(const DiskDefinition& disk) { return own_fields(disk_shape(), disk.fields); }

const Fields& fields() {
  static const Fields all{.machine = {},
                          .disk = carried<DiskDefinition>(disk_shape()),
                          .disk_rules = {},
                          .disk_defaults = json::stored_text(disk_shape(), {})};
  return all;
}

}  // namespace holdfast::source::file
