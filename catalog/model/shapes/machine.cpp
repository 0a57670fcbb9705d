#include "catalog/model/shapes/machine.h"

#include "catalog/model/shapes/definition.h"

namespace holdfast::json {
namespace {

// A JSON object as its text on one line.
Value<DriverFields> object_text() {
  const std::string must = "an object";
  return {must,
          {{"type", "object"}},
          [must](const Json& found, const std::string& at) -> Result<DriverFields> {
            if (!found.is_object()) return wrong(found, at, must);
            return compact(found);
          },
          [](const DriverFields& fields) { return Json::parse(fields, nullptr, false); }};
}

template <class D>
Field<D> driver_fields() {
  return field("fields", &D::fields, object_text(), "The driver's own.");
}

}  // namespace

const char* const kMachineDescription = "Something with disks that is backed up.";

std::vector<Field<MachineDefinition>> common_machine_fields(const Value<std::string>& driver) {
  using D = MachineDefinition;
  return {
      description<D>(),
      tags<D>(),
      field("driver", &D::driver, driver, "How Holdfast speaks to it.", Need::required),
      field("bandwidth", &D::bandwidth, optional(size(1, kMostBytes)),
            "Bytes a second that may be read from it, 1M for instance; null for no limit."),
      field("objective", &D::objective, optional(duration(kAtLeastOneSecond)),
            "How old its newest good point may become, 26h for instance, before its status warns; null: "
            "that doesn't matter."),
  };
}

std::vector<Field<DiskDefinition>> common_disk_fields() {
  return {field("name", &DiskDefinition::name, name(), "What the disk is called here, once in the machine.",
                Need::required)};
}

Field<MachineDefinition> disks_field(const Shape<DiskDefinition>& disk) {
  using D = MachineDefinition;
  auto disks =
      field("disks", &D::disks, list(object(disk), 1, "a list of at least one disk", &DiskDefinition::name),
            "The disks that belong to a point, in their order.", Need::required);
  // A disk that is new, or has another name, is compared with a disk without values.
  disks.root_only_change = [disk](const D& before, const D& after) -> std::string {
    for (std::size_t i = 0; i < after.disks.size(); ++i) {
      const auto known = std::ranges::find(before.disks, after.disks[i].name, &DiskDefinition::name);
      const std::string changed =
          root_only_change(disk, known == before.disks.end() ? disk.defaults : *known, after.disks[i]);
      if (!changed.empty()) return fmt::format("disks[{}].{}", i, changed);
    }
    return "";
  };
  return disks;
}

// The shape in which the catalog stores a machine, whatever its driver.
template <>
const Shape<MachineDefinition>& shape() {
  using D = MachineDefinition;
  static const Shape<D> machine = [] {
    Shape<DiskDefinition> disk{"A disk of the machine.", common_disk_fields(), {}};
    disk.fields.push_back(driver_fields<DiskDefinition>());
    Shape<D> made{kMachineDescription, common_machine_fields(text_not_empty()), {}};
    made.fields.push_back(driver_fields<D>());
    made.fields.push_back(disks_field(disk));
    return made;
  }();
  return machine;
}

}  // namespace holdfast::json

namespace holdfast {
HF_STORED(MachineDefinition);
}
