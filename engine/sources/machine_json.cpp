#include "engine/sources/machine_json.h"

#include <map>

#include "catalog/model/json_shape.h"
#include "catalog/model/shapes/machine.h"
#include "engine/sources/drivers.h"

namespace holdfast {
namespace {

using json::Field;
using json::Json;
using json::Shape;
using source::Registration;

std::vector<std::string_view> driver_names() {
  std::vector<std::string_view> names;
  for (const Registration& driver : source::drivers()) names.push_back(driver.name);
  return names;
}

const json::Value<std::string>& driver_name() {
  static const auto value = json::word_of(driver_names());
  return value;
}

// Fields that other drivers have and this one has not.
template <class D>
std::vector<std::pair<std::string, std::string>> elsewhere(std::vector<Field<D>> source::Fields::*fields,
                                                           const Registration& here) {
  std::map<std::string, std::string> homes;
  for (const Registration& driver : source::drivers())
    for (const Field<D>& known : driver.fields.*fields) {
      std::string& home = homes[known.name];
      home += fmt::format("{}\"{}\"", home.empty() ? "driver " : " and ", driver.name);
    }
  for (const Field<D>& own : here.fields.*fields) homes.erase(own.name);
  return {homes.begin(), homes.end()};
}

template <class D>
void append(std::vector<Field<D>>& fields, const std::vector<Field<D>>& more) {
  fields.insert(fields.end(), more.begin(), more.end());
}

Shape<DiskDefinition> disk_shape(const Registration& driver) {
  Shape<DiskDefinition> shape{"A disk of the machine.", json::common_disk_fields(), driver.fields.disk_rules,
                              elsewhere(&source::Fields::disk, driver)};
  append(shape.fields, driver.fields.disk);
  shape.defaults.fields = driver.fields.disk_defaults;
  return shape;
}

Shape<MachineDefinition> make_shape(const Registration& driver) {
  Shape<MachineDefinition> shape{json::kMachineDescription,
                                 json::common_machine_fields(driver_name()),
                                 {},
                                 elsewhere(&source::Fields::machine, driver)};
  for (auto& field : shape.fields)
    if (field.name == "driver") field.schema["const"] = driver.name;
  append(shape.fields, driver.fields.machine);
  shape.fields.push_back(json::disks_field(disk_shape(driver)));
  shape.defaults.fields = driver.fields.machine_defaults;
  return shape;
}

// A machine that is not defined yet is shown as one of the first driver.
std::string_view driver_of(const MachineDefinition& machine) {
  return machine.driver.empty() ? source::drivers().front().name : std::string_view{machine.driver};
}

const Shape<MachineDefinition>& shape_of(std::string_view driver) {
  static const auto shapes = [] {
    std::map<std::string_view, Shape<MachineDefinition>> made;
    for (const Registration& each : source::drivers()) made.emplace(each.name, make_shape(each));
    return made;
  }();
  return shapes.at(driver);
}

}  // namespace

template <>
Result<MachineDefinition> parse_definition(std::string_view text) {
  HF_TRY(const Json document, json::parse_document(text));
  const auto found = document.find("driver");
  if (found == document.end())
    return fail(EINVAL, "field \"driver\" is missing; it must be {}", driver_name().must);
  HF_TRY(const std::string driver, driver_name().read(*found, "driver"));
  return json::read_object(shape_of(driver), document, "");
}

template <>
std::string print_definition(const MachineDefinition& machine) {
  MachineDefinition shown = machine;
  shown.driver = driver_of(machine);
  return json::indented(json::write_object(shape_of(shown.driver), shown));
}

template <>
const std::string& definition_schema<MachineDefinition>() {
  static const std::string text = [] {
    Json schema = {{"description", json::kMachineDescription}, {"oneOf", Json::array()}};
    for (const Registration& driver : source::drivers())
      schema["oneOf"].push_back(json::object_schema(shape_of(driver.name)));
    return json::schema_text(schema);
  }();
  return text;
}

template <>
std::string root_only_change(const MachineDefinition& before, const MachineDefinition& after) {
  return json::root_only_change(shape_of(driver_of(after)), before, after);
}

}  // namespace holdfast
