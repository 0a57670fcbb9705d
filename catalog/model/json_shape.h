// The shape of a JSON object: its fields, in order, each with how it is read, written and described. Parsing,
// printing, the schema, the stored text and root's fields all follow from this one table.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/base/text.h"
#include "catalog/model/json_text.h"
#include "catalog/model/json_value.h"

namespace holdfast::json {

enum class Need { optional, required };
enum class Setter { anybody, root };  // law 19: what names the host is set by root alone

template <class D>
struct Field {
  std::string name;
  Need need;
  std::string must;
  Json schema;  // including the description
  std::function<Result<>(const Json& found, const std::string& field, D& into)> read;
  std::function<Json(const D&)> write;
  // The field that differs and that only root may set, as "path" or "disks[0].path"; else "".
  std::function<std::string(const D& before, const D& after)> root_only_change;
  bool is_reference = false;     // names another object: the catalog holds it in a column, by id
  bool is_of_the_write = false;  // says how to carry out the write; neither stored nor shown
};

// A rule that binds several fields together: the check, and the same as JSON Schema.
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
  // Fields of other shapes, each with what it belongs to, for a better refusal.
  std::vector<std::pair<std::string, std::string>> elsewhere{};
  D defaults{};
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
Field<D> reference(std::string name, std::string D::*member, Value<std::string> value,
                   std::string description, Need need = Need::optional) {
  auto made = field(std::move(name), member, std::move(value), std::move(description), need);
  made.is_reference = true;
  return made;
}

template <class D>
Field<D> word_of_the_write(std::string name, bool D::*member, std::string description) {
  auto made = field(std::move(name), member, boolean(), std::move(description));
  made.is_of_the_write = true;
  return made;
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
  D definition = shape.defaults;
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
  for (const auto& known : shape.fields)
    if (!known.is_of_the_write) written[known.name] = known.write(definition);
  return written;
}

// The text that the catalog stores: every lasting field but the references, on one line.
template <class D>
std::string stored_text(const Shape<D>& shape, const D& definition) {
  Json written = Json::object();
  for (const auto& known : shape.fields)
    if (!known.is_reference && !known.is_of_the_write) written[known.name] = known.write(definition);
  return compact(written);
}

// Reads a stored text. A field that it lacks gets its default, and one that the shape lacks is passed over:
// both are what another version of this program wrote.
template <class D>
Result<D> read_stored(const Shape<D>& shape, std::string_view text) {
  const Json stored = Json::parse(text, nullptr, false);
  if (!stored.is_object()) return fail(EIO, "it is no JSON object: {}", text);
  D definition = shape.defaults;
  for (const auto& known : shape.fields)
    if (const auto value = stored.find(known.name); value != stored.end() && !known.is_reference)
      HF_CHECK(known.read(*value, known.name, definition));
  return definition;
}

template <class D>
Json object_schema(const Shape<D>& shape) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const auto& known : shape.fields) {
    Json& property = properties[known.name] = known.schema;
    if (known.need == Need::required)
      required.push_back(known.name);
    else
      property["default"] = known.write(shape.defaults);
  }
  Json schema = {{"description", shape.description},
                 {"type", "object"},
                 {"additionalProperties", false},
                 {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  for (const auto& rule : shape.rules) schema["allOf"].push_back(rule.schema);
  return schema;
}

// The schema as a document: the text of config.schema.json.
std::string schema_text(const Json& of_object);

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

// Parses a whole document: JSON with an object at its top and no field twice.
Result<Json> parse_document(std::string_view text);

}  // namespace holdfast::json
