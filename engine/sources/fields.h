// Fields that one driver alone has: each driver's folder declares them in its fields.h and fields.cpp, as
// structs with shapes. This header carries them to and from the text that definitions hold (DriverFields).
#pragma once

#include <string>
#include <vector>

#include "catalog/model/definitions.h"
#include "catalog/model/json_shape.h"

namespace holdfast::source {

// A driver's part of the shape of a machine's config.json.
struct Fields {
  std::vector<json::Field<MachineDefinition>> machine;  // between the common fields and the disks
  std::vector<json::Field<DiskDefinition>> disk;        // after the disk's name
  std::vector<json::Rule<DiskDefinition>> disk_rules;
  DriverFields machine_defaults = "{}", disk_defaults = "{}";
};

// A machine's or disk's own fields of a driver; defaults where the text has none.
template <class Own>
Result<Own> own_fields(const json::Shape<Own>& shape, const DriverFields& text) {
  return json::read_stored(shape, text);
}

// Makes fields of the driver's struct fields of the definition, whose text holds them.
template <class Definition, class Own>
std::vector<json::Field<Definition>> carried(const json::Shape<Own>& shape) {
  // A definition that is being read, or was never written, lacks fields that its driver requires.
  const auto of = [&shape](const Definition& definition) {
    Own own = shape.defaults;
    const json::Json known = json::Json::parse(definition.fields, nullptr, false);
    for (const auto& field : shape.fields)
      if (const auto value = known.find(field.name); value != known.end())
        static_cast<void>(field.read(*value, field.name, own));
    return own;
  };
  std::vector<json::Field<Definition>> fields;
  for (const json::Field<Own>& own : shape.fields)
    fields.push_back({own.name, own.need, own.must, own.schema,
                      [&shape, of, read = own.read](const json::Json& found, const std::string& at,
                                                    Definition& into) -> Result<> {
                        Own values = of(into);
                        HF_CHECK(read(found, at, values));
                        into.fields = json::stored_text(shape, values);
                        return {};
                      },
                      [of, write = own.write](const Definition& from) { return write(of(from)); },
                      [of, change = own.root_only_change](const Definition& before, const Definition& after) {
                        return change(of(before), of(after));
                      }});
  return fields;
}

}  // namespace holdfast::source
