#include "catalog/model/json_shape.h"

#include <set>

#include "catalog/model/limits.h"

namespace holdfast::json {
namespace {

constexpr int kDeepest = 16;  // far deeper than any definition; printing a document recurses

// Removes the first word of "[json.exception.parse_error.101] parse error at line 2, column 3: …".
std::string sentence_of(const Json::exception& problem) {
  const std::string_view said = problem.what();
  const auto end = said.find("] ");
  return std::string{end == std::string_view::npos ? said : said.substr(end + 2)};
}

// Gives each list and each free text of a schema its limit.
void add_limits(Json& schema) {
  if (schema.is_object() && schema.contains("type")) {
    if (schema["type"] == "array") schema["maxItems"] = kMostItems;
    if (schema["type"] == "string" && !schema.contains("enum") && !schema.contains("maxLength"))
      schema["maxLength"] = kLongestText;
  }
  if (schema.is_structured())
    for (Json& within : schema) add_limits(within);
}

Result<> check_limits(const Json& found, const std::string& field) {
  if (found.is_string() && found.get_ref<const std::string&>().size() > kLongestText)
    return fail(EINVAL, "field \"{}\" has {} bytes; a text has at most {}", field,
                found.get_ref<const std::string&>().size(), kLongestText);
  if (found.is_array()) {
    if (found.size() > kMostItems)
      return fail(EINVAL, "field \"{}\" has {} items; a list has at most {}", field, found.size(),
                  kMostItems);
    for (std::size_t i = 0; i < found.size(); ++i)
      HF_CHECK(check_limits(found[i], fmt::format("{}[{}]", field, i)));
  }
  if (found.is_object())
    for (const auto& [name, value] : found.items()) {
      if (name.size() > kLongestText)
        return fail(EINVAL, "a field's name has {} bytes; a text has at most {}", name.size(), kLongestText);
      HF_CHECK(check_limits(value, field.empty() ? name : field + "." + name));
    }
  return {};
}

}  // namespace

std::string schema_text(const Json& of_object) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
  schema.update(of_object);
  add_limits(schema);
  return schema.dump(2) + "\n";
}

Result<Json> parse_document(std::string_view text) {
  std::vector<std::set<std::string>> open_objects;
  std::string twice;
  bool too_deep = false;
  // The library keeps the last of several fields with one name; this callback sees each of them.
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start) open_objects.emplace_back();
    if (event == Event::object_end) open_objects.pop_back();
    if (event == Event::key && !open_objects.back().insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    if (depth <= kDeepest) return true;
    too_deep = true;
    return false;
  };
  Json document;
  try {
    document = Json::parse(text, watch);
  } catch (const Json::exception& problem) {
    return fail(EINVAL, "this is no JSON: {}", sentence_of(problem));
  }
  if (too_deep) return fail(EINVAL, "this JSON is nested deeper than {} levels", kDeepest);
  if (!twice.empty()) return fail(EINVAL, "field \"{}\" is there twice", twice);
  if (!document.is_object())
    return fail(EINVAL, "a definition is a JSON object, in braces; at the top of this stands: {}",
                document.type_name());
  HF_CHECK(check_limits(document, ""));
  return document;
}

}  // namespace holdfast::json
