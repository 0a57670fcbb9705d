#include "catalog/model/json_value.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "catalog/base/bytes.h"
#include "catalog/base/cut.h"
#include "catalog/base/text.h"
#include "catalog/model/json_text.h"

namespace holdfast::json {
namespace {

constexpr const char* kNamePattern = "(?!error$)[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}";

std::string shown(const Json& found) {
  constexpr std::size_t kAtMost = 80;
  return cut(compact(found), kAtMost);
}

// JSON knows one kind of number: 4096.0 is as whole as 4096.
std::optional<std::int64_t> whole_number(const Json& found) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (found.is_number_unsigned()) {
    const auto value = found.get<std::uint64_t>();
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    return static_cast<std::int64_t>(value);
  }
  if (found.is_number_integer()) return found.get<std::int64_t>();
  if (!found.is_number_float()) return std::nullopt;
  const auto value = found.get<double>();
  if (!(std::abs(value) <= kExact) || value != std::trunc(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

bool is_normal_path(std::string_view path) {
  if (!path.starts_with('/') || path.size() > 4095) return false;
  while (!path.empty()) {
    const auto end = std::min(path.find('/', 1), path.size());
    const std::string_view step = path.substr(1, end - 1);
    if (step.empty() || step == "." || step == "..") return false;
    path.remove_prefix(end);
  }
  return true;
}

}  // namespace

tl::unexpected<Error> wrong(const Json& found, const std::string& field, std::string_view must) {
  return fail(EINVAL, "field \"{}\" is {}; it must be {}", field, shown(found), must);
}

std::string in_quotes(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string one_of(const std::vector<std::string_view>& words) {
  std::vector<std::string> quoted;
  for (const std::string_view word : words) quoted.push_back(in_quotes(word));
  if (quoted.size() < 2) return fmt::format("{}", fmt::join(quoted, ""));
  const std::string last = std::move(quoted.back());
  quoted.pop_back();
  return fmt::format("{} or {}", fmt::join(quoted, ", "), last);
}

Value<std::string> text_that(std::string must, Json schema,
                             std::function<bool(const std::string&)> is_right) {
  return {must, std::move(schema),
          [must, is_right = std::move(is_right)](const Json& found,
                                                 const std::string& field) -> Result<std::string> {
            if (!found.is_string()) return wrong(found, field, must);
            const auto& value = found.get_ref<const std::string&>();
            if (value.find('\0') != std::string::npos) return wrong(found, field, "text without a NUL");
            if (!is_right(value)) return wrong(found, field, must);
            return value;
          },
          [](const std::string& value) { return Json(value); }};
}

Value<std::string> text() {
  return text_that("text", {{"type", "string"}}, [](const std::string&) { return true; });
}

Value<std::string> text_not_empty() {
  return text_that("text that is not empty", {{"type", "string"}, {"minLength", 1}},
                   [](const std::string& value) { return !value.empty(); });
}

Value<std::string> name() {
  return text_that(
      "a name of letters, digits, '.', '_' and '-', not starting with a dot, of at most 128 bytes, and not "
      "\"error\"",
      {{"type", "string"}, {"pattern", fmt::format("^{}$", kNamePattern)}},
      [](const std::string& value) { return check_name(value).has_value(); });
}

Value<std::string> target_path() {
  return text_that("a machine or a group, written as machines/NAME or groups/NAME",
                   {{"type", "string"}, {"pattern", fmt::format("^(machines|groups)/{}$", kNamePattern)}},
                   [](const std::string& value) {
                     for (const std::string_view before : {"machines/", "groups/"})
                       if (value.starts_with(before) && check_name(value.substr(before.size()))) return true;
                     return false;
                   });
}

Value<std::string> absolute_path() {
  return text_that("an absolute path below /, without '.', '..', '//' or a slash at its end",
                   {{"type", "string"}, {"pattern", "^(/(?!\\.{1,2}(/|$))[^/]+)+$"}, {"maxLength", 4095}},
                   is_normal_path);
}

Value<std::string> or_null(const Value<std::string>& value) {
  const std::string must = value.must + ", or null";
  return {must,
          {{"anyOf", {value.schema, {{"enum", {nullptr, ""}}}}}},
          [value, must](const Json& found, const std::string& field) -> Result<std::string> {
            if (found.is_null() || found == "") return std::string{};
            const auto read = value.read(found, field);
            if (!read) return wrong(found, field, must);
            return *read;
          },
          [value](const std::string& text) { return text.empty() ? Json() : value.write(text); }};
}

Value<std::string> word_of(std::vector<std::string_view> words) {
  const std::string must = one_of(words);
  return {
      must,
      {{"enum", words}},
      [must, words = std::move(words)](const Json& found, const std::string& field) -> Result<std::string> {
        if (!found.is_string()) return wrong(found, field, must);
        const auto& text = found.get_ref<const std::string&>();
        if (std::ranges::find(words, text) != words.end()) return text;
        const std::string near = nearest(text, words);
        if (near.empty()) return wrong(found, field, must);
        return wrong(found, field, fmt::format("{}; did you mean {}?", must, in_quotes(near)));
      },
      [](const std::string& text) { return Json(text); }};
}

Value<bool> boolean() {
  const std::string must = "true or false";
  return {must,
          {{"type", "boolean"}},
          [must](const Json& found, const std::string& field) -> Result<bool> {
            if (!found.is_boolean()) return wrong(found, field, must);
            return found.get<bool>();
          },
          [](bool value) { return Json(value); }};
}

Value<int> integer(int least, int most) {
  const std::string must = fmt::format("a whole number from {} to {}", least, most);
  return {must,
          {{"type", "integer"}, {"minimum", least}, {"maximum", most}},
          [least, most, must](const Json& found, const std::string& field) -> Result<int> {
            const auto value = whole_number(found);
            if (!value || *value < least || *value > most) return wrong(found, field, must);
            return static_cast<int>(*value);
          },
          [](int value) { return Json(value); }};
}

Value<int> percent() {
  const std::string must = "a share from \"0%\" to \"100%\"";
  return {must,
          {{"type", "string"}, {"pattern", "^0?(100|[0-9]{1,2})%$"}},
          [must](const Json& found, const std::string& field) -> Result<int> {
            const auto share = found.is_string() ? parse_percent(found.get_ref<const std::string&>())
                                                 : Result<int>(fail(EINVAL, "no text"));
            if (!share) return wrong(found, field, must);
            return *share;
          },
          [](int value) { return Json(fmt::format("{}%", value)); }};
}

Value<std::uint64_t> power_of_two(std::uint64_t least, std::uint64_t most) {
  const std::string must =
      fmt::format("a power of two from {} to {}, written in bytes or as \"64K\"", least, most);
  Json numbers = Json::array();
  Json texts = Json::array();
  for (std::uint64_t size = least; size <= most; size *= 2) {
    numbers.push_back(size);
    texts.push_back(fmt::format("{}", size));
    if (size % kKiB == 0) texts.push_back(fmt::format("{}K", size / kKiB));
    if (size % kMiB == 0) texts.push_back(fmt::format("{}M", size / kMiB));
  }
  return {must,
          {{"anyOf", {{{"type", "integer"}, {"enum", numbers}}, {{"type", "string"}, {"enum", texts}}}}},
          [least, most, must](const Json& found, const std::string& field) -> Result<std::uint64_t> {
            std::uint64_t size = 0;
            if (found.is_string()) {
              const auto parsed = parse_size(found.get_ref<const std::string&>());
              if (!parsed) return wrong(found, field, must);
              size = *parsed;
            } else {
              const auto value = whole_number(found);
              if (!value || *value < 0) return wrong(found, field, must);
              size = static_cast<std::uint64_t>(*value);
            }
            if (size < least || size > most || !std::has_single_bit(size)) return wrong(found, field, must);
            return size;
          },
          [](std::uint64_t size) { return Json(size); }};
}

Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
  const std::string must = fmt::format("a size from {} to {}, written in bytes or as \"64M\"", least, most);
  return {must,
          {{"anyOf",
            {{{"type", "integer"}, {"minimum", least}, {"maximum", most}},
             {{"type", "string"}, {"pattern", "^[0-9]+[KMGT]?$"}}}}},
          [least, most, must](const Json& found, const std::string& field) -> Result<std::uint64_t> {
            std::uint64_t value = 0;
            if (found.is_string()) {
              const auto parsed = parse_size(found.get_ref<const std::string&>());
              if (!parsed) return wrong(found, field, must);
              value = *parsed;
            } else {
              const auto whole = whole_number(found);
              if (!whole || *whole < 0) return wrong(found, field, must);
              value = static_cast<std::uint64_t>(*whole);
            }
            if (value < least || value > most) return wrong(found, field, must);
            return value;
          },
          [](std::uint64_t value) { return Json(value); }};
}

Value<std::chrono::seconds> duration(std::chrono::seconds least) {
  const std::string must =
      least.count() > 0 ? "a span of time that is not 0, of at most \"36500d\", as \"90s\", \"15m\" or \"4h\""
                        : "a span of time of at most \"36500d\", as \"90s\", \"15m\" or \"4h\"";
  return {must,
          {{"type", "string"}, {"pattern", least.count() > 0 ? "^0*[1-9][0-9]*[smhd]$" : "^[0-9]+[smhd]$"}},
          [least, must](const Json& found, const std::string& field) -> Result<std::chrono::seconds> {
            if (!found.is_string()) return wrong(found, field, must);
            const auto span = parse_duration(found.get_ref<const std::string&>());
            if (!span || *span < least) return wrong(found, field, must);
            return *span;
          },
          [](std::chrono::seconds span) { return Json(print_duration(span)); }};
}

}  // namespace holdfast::json
