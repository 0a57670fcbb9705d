#include "catalog/model/json_shape.h"

#include <set>

namespace holdfast::json {
namespace {

constexpr int kDeepest = 16;  // far deeper than any definition; printing a document recurses

// Removes the first word of "[json.exception.parse_error.101] parse error at line 2, column 3: …".
std::string sentence_of(const Json::exception& problem) {
  const std::string_view said = problem.what();
  const auto end = said.find("] ");
  return std::string{end == std::string_view::npos ? said : said.substr(end + 2)};
}

}  // namespace

std::string schema_text(const Json& of_object) {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
  schema.update(of_object);
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
  return document;
}

}  // namespace holdfast::json
