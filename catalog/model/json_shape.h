// The shape of a JSON object: its fields, in order, each with how it is read, written and described.
// From this one table come parse, print, the schema, and what only root may change.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/base/text.h"
#include "catalog/model/json_value.h"

namespace holdfast::json {

enum class Need { optional, required };
enum class Setter { anybody, root };  // law 19: what names the host is set by root alone

template <class D>
struct Field {
  std::string name;
  Need need;
  std::string must;
  Json schema;  // with its description
  std::function<Result<>(const Json& found, const std::string& field, D& into)> read;
  std::function<Json(const D&)> write;
  // Where they differ in what only root may set: that field, as "path" or "disks[0].path"; else "".
  std::function<std::string(const D& before, const D& after)> root_only_change;
};

// What binds several fields together: the check, and the same as JSON Schema.
template <class D>
struct Rule {
  Json schema;
  std::function<Result<>(const D&)> check;
};

template <class D>
struct Shape {
  std::string description;
  std::vector<Field<D>> fields;
  std::vector<Rule<D>> rules;
  // Fields that are known, but not here: what each of them belongs to.
  std::vector<std::pair<std::string, std::string>> elsewhere{};
};

template <class D, class T>
Field<D> field(std::string name, T D::*member, Value<T> value, std::string description,
               Need need = Need::optional, Setter setter = Setter::anybody) {
  Json schema = {{"description", setter == Setter::root ? description + " Set by root alone." : description}};
  schema.update(value.schema);
  const auto differs = [member, setter, name](const D& before, const D& after) -> std::string {
    return setter == Setter::root && before.*member != after.*member ? name : "";
  };
  return {name,
          need,
          value.must,
          std::move(schema),
          [member, read = value.read](const Json& found, const std::string& at, D& into) -> Result<> {
            HF_TRY(into.*member, read(found, at));
            return {};
          },
          [member, write = value.write](const D& from) { return write(from.*member); },
          differs};
}

template <class D>
std::string root_only_change(const Shape<D>& shape, const D& before, const D& after) {
  for (const auto& known : shape.fields)
    if (std::string changed = known.root_only_change(before, after); !changed.empty()) return changed;
  return "";
}

// `where` is "" for a whole document, "disks[0]." for an object within.
template <class D>
Result<D> read_object(const Shape<D>& shape, const Json& found, const std::string& where) {
  std::vector<std::string_view> names;
  for (const auto& known : shape.fields) names.push_back(known.name);
  for (const auto& [name, value] : found.items()) {
    if (std::ranges::find(names, name) != names.end()) continue;
    for (const auto& [stranger, home] : shape.elsewhere)
      if (stranger == name) return fail(EINVAL, "field \"{}{}\" is of {} alone", where, name, home);
    const std::string near = nearest(name, names);
    if (!near.empty())
      return fail(EINVAL, "field \"{}{}\" is not known here; did you mean \"{}\"?", where, name, near);
    return fail(EINVAL, "field \"{}{}\" is not known here, only {}", where, name, one_of(names));
  }
  D definition;
  for (const auto& known : shape.fields) {
    const auto value = found.find(known.name);
    if (value != found.end())
      HF_CHECK(known.read(*value, where + known.name, definition));
    else if (known.need == Need::required)
      return fail(EINVAL, "field \"{}{}\" is missing; it must be {}", where, known.name, known.must);
  }
  for (const auto& rule : shape.rules) HF_CHECK(rule.check(definition));
  return definition;
}

template <class D>
Json write_object(const Shape<D>& shape, const D& definition) {
  Json written = Json::object();
  for (const auto& known : shape.fields) written[known.name] = known.write(definition);
  return written;
}

template <class D>
Json object_schema(const Shape<D>& shape) {
  const D defaults;
  Json properties = Json::object();
  Json required = Json::array();
  for (const auto& known : shape.fields) {
    Json& property = properties[known.name] = known.schema;
    if (known.need == Need::required)
      required.push_back(known.name);
    else
      property["default"] = known.write(defaults);
  }
  Json schema = {{"description", shape.description},
                 {"type", "object"},
                 {"additionalProperties", false},
                 {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  for (const auto& rule : shape.rules) schema["allOf"].push_back(rule.schema);
  return schema;
}

// An object as the value of a field, or as an item of a list.
template <class D>
Value<D> object(const Shape<D>& shape) {
  const std::string must = "an object";
  return {must, object_schema(shape),
          [shape, must](const Json& found, const std::string& at) -> Result<D> {
            if (!found.is_object()) return wrong(found, at, must);
            return read_object(shape, found, at + ".");
          },
          [shape](const D& value) { return write_object(shape, value); }};
}

// A whole document: JSON with an object at its top, no field in it twice.
Result<Json> parse_document(std::string_view text);

}  // namespace holdfast::json
