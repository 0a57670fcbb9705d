#include "catalog/model/machine_shape.h"

#include <map>

namespace holdfast::json {
namespace {

std::vector<Driver> drivers() {
  std::vector<Driver> all;
  for (const std::string_view word : Words<Driver>::words) all.push_back(*from_word<Driver>(word));
  return all;
}

// What the disks of a driver have besides their names.
std::vector<Field<DiskDefinition>> disk_fields(Driver driver) {
  using D = DiskDefinition;
  switch (driver) {
    case Driver::qmp:
      return {field("node", &D::node, text_not_empty(), "The block node that the guest writes to.",
                    Need::required)};
    case Driver::nbd:
      return {field("uri", &D::uri, nbd_uri(), "The export, as a URI.", Need::required, Setter::root),
              field("bitmap", &D::bitmap, text(),
                    "A dirty bitmap of its user's that the server offers with the export."),
              field("trust_bitmap", &D::trust_bitmap, boolean(),
                    "Whether what the bitmap does not name counts as unchanged. A share of it is read all "
                    "the same.")};
    case Driver::file:
      return {field("path", &D::path, absolute_path(), "A file or a block device of this host.",
                    Need::required, Setter::root)};
  }
  return {};
}

// What a machine of a driver has besides what all have.
std::vector<Field<MachineDefinition>> machine_fields(Driver driver) {
  using D = MachineDefinition;
  if (driver != Driver::qmp) return {};
  return {
      field("socket", &D::socket, socket_path(), "The QMP socket of its QEMU or storage daemon.",
            Need::required, Setter::root),
      field("quiesce", &D::quiesce, word<Quiesce>(),
            "Whether the guest's agent freezes its file systems for the instant of the freeze: auto where "
            "there is one.")};
}

// What the other drivers have and this one has not.
template <class D>
std::vector<std::pair<std::string, std::string>> elsewhere(std::vector<Field<D>> (*fields)(Driver),
                                                           Driver here) {
  std::vector<std::pair<std::string, std::string>> strangers;
  for (const Driver driver : drivers())
    for (const Field<D>& known : fields(driver))
      if (driver != here) strangers.emplace_back(known.name, fmt::format("driver \"{}\"", to_word(driver)));
  return strangers;
}

Shape<DiskDefinition> disk_shape(Driver driver) {
  using D = DiskDefinition;
  Shape<D> shape{"A disk of the machine.",
                 {field("name", &D::name, disk_name(), "What the disk is called here, once in the machine.",
                        Need::required)},
                 {},
                 elsewhere(disk_fields, driver)};
  for (Field<D>& own : disk_fields(driver)) shape.fields.push_back(std::move(own));
  if (driver == Driver::nbd)
    shape.rules.push_back(
        {{{"if", {{"properties", {{"trust_bitmap", {{"const", true}}}}}, {"required", {"trust_bitmap"}}}},
          {"then", {{"properties", {{"bitmap", {{"minLength", 1}}}}}, {"required", {"bitmap"}}}}},
         [](const D& disk) -> Result<> {
           if (disk.trust_bitmap && disk.bitmap.empty())
             return fail(EINVAL, "disk \"{}\" has \"trust_bitmap\", but no \"bitmap\" that could be trusted",
                         disk.name);
           return {};
         }});
  return shape;
}

// A disk that is new, or bears another name, is held against nothing.
Field<MachineDefinition> disks_field(Driver driver) {
  using D = MachineDefinition;
  const Shape<DiskDefinition> disk = disk_shape(driver);
  auto disks =
      field("disks", &D::disks, list(object(disk), 1, "a list of at least one disk", &DiskDefinition::name),
            "The disks that belong to a point, in their order.", Need::required);
  disks.root_only_change = [disk](const D& before, const D& after) -> std::string {
    for (std::size_t i = 0; i < after.disks.size(); ++i) {
      const auto known = std::ranges::find(before.disks, after.disks[i].name, &DiskDefinition::name);
      const std::string changed =
          root_only_change(disk, known == before.disks.end() ? DiskDefinition{} : *known, after.disks[i]);
      if (!changed.empty()) return fmt::format("disks[{}].{}", i, changed);
    }
    return "";
  };
  return disks;
}

Shape<MachineDefinition> make_shape(Driver driver) {
  using D = MachineDefinition;
  auto its_driver = field("driver", &D::driver, word<Driver>(), "How Holdfast speaks to it.", Need::required);
  its_driver.schema["const"] = to_word(driver);
  Shape<D> shape{
      "Something with disks that is backed up.",
      {
          field("description", &D::description, text(), "For people."),
          field("tags", &D::tags, list(text_not_empty(), 0, "a list of text", std::identity{}),
                "Words to find it by."),
          std::move(its_driver),
          field("bandwidth", &D::bandwidth, optional(size(1, kMostBytes)),
                "Bytes a second that may be read from it, 1M for instance; null for no limit."),
          field("objective", &D::objective, optional(duration(std::chrono::seconds{1})),
                "How old its newest good point may become, 26h for instance, before its status warns; null: "
                "that doesn't matter."),
      },
      {},
      elsewhere(machine_fields, driver)};
  for (Field<D>& own : machine_fields(driver)) shape.fields.push_back(std::move(own));
  shape.fields.push_back(disks_field(driver));
  return shape;
}

}  // namespace

const Shape<MachineDefinition>& machine_shape(Driver driver) {
  static const auto shapes = [] {
    std::map<Driver, Shape<MachineDefinition>> made;
    for (const Driver each : drivers()) made.emplace(each, make_shape(each));
    return made;
  }();
  return shapes.at(driver);
}

Result<const Shape<MachineDefinition>*> machine_shape_of(const Json& document) {
  static const auto driver = word<Driver>();
  const auto found = document.find("driver");
  if (found == document.end()) return fail(EINVAL, "field \"driver\" is missing; it must be {}", driver.must);
  HF_TRY(const Driver known, driver.read(*found, "driver"));
  return &machine_shape(known);
}

Json machine_schema() {
  Json schema = {{"description", "Something with disks that is backed up."}, {"oneOf", Json::array()}};
  for (const Driver driver : drivers()) schema["oneOf"].push_back(object_schema(machine_shape(driver)));
  return schema;
}

}  // namespace holdfast::json
