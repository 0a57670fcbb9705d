// Values that a field of a definition can hold: how each is read, written and described, in one place.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "catalog/base/error.h"
#include "catalog/base/text.h"
#include "catalog/model/enumerations.h"

namespace holdfast::json {

using Json = nlohmann::ordered_json;

template <class T>
struct Value {
  std::string must;  // the allowed values, for sentences: "a whole number from 1 to 22"
  Json schema;       // the same as JSON Schema
  // `field` is where it stands: "disks[0].name".
  std::function<Result<T>(const Json& found, const std::string& field)> read;
  std::function<Json(const T&)> write;
};

// field "cluster_size" is 1000; it must be a power of two …
tl::unexpected<Error> wrong(const Json& found, const std::string& field, std::string_view must);

// Text that `is_right` accepts, without a NUL. `must` says the same for people, `schema` for machines.
Value<std::string> text_that(std::string must, Json schema, std::function<bool(const std::string&)> is_right);
Value<std::string> text();  // any
Value<std::string> text_not_empty();
Value<std::string> name();           // an object's name: check_name
Value<std::string> target_path();    // "machines/NAME", "groups/NAME"
Value<std::string> absolute_path();  // below /, without ".", ".." or a slash at its end
Value<bool> boolean();
Value<int> integer(int least, int most);
Value<int> percent();                                                        // "0%" to "100%"
Value<std::uint64_t> power_of_two(std::uint64_t least, std::uint64_t most);  // 65536 or "64K"

// The largest whole number that a JSON reader with doubles alone can hold.
constexpr std::uint64_t kMostBytes = 1ULL << 53;
Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most);  // 65536 or "64K"
Value<std::chrono::seconds> duration(std::chrono::seconds least);    // "90s", "4h"

// Value that may be absent, which is null.
template <class T>
Value<std::optional<T>> optional(const Value<T>& value) {
  const std::string must = value.must + ", or null";
  return {must,
          {{"anyOf", {value.schema, {{"type", "null"}}}}},
          [value](const Json& found, const std::string& field) -> Result<std::optional<T>> {
            if (found.is_null()) return std::nullopt;
            HF_TRY(T read, value.read(found, field));
            return std::optional<T>{std::move(read)};
          },
          [value](const std::optional<T>& present) { return present ? value.write(*present) : Json(); }};
}

// Text that may be absent, which is null; "" is taken for it, too.
Value<std::string> or_null(const Value<std::string>& value);

std::string in_quotes(std::string_view text);
// "a", "b" or "c"
std::string one_of(const std::vector<std::string_view>& words);

// Text that is one of these words. A refusal suggests the word nearest to a near miss.
Value<std::string> word_of(std::vector<std::string_view> words);

template <class E>
Value<E> word() {
  const auto text = word_of({Words<E>::words.begin(), Words<E>::words.end()});
  return {text.must, text.schema,
          [read = text.read](const Json& found, const std::string& field) -> Result<E> {
            HF_TRY(const std::string known, read(found, field));
            return *from_word<E>(known);
          },
          [](E value) { return Json(to_word(value)); }};
}

// A list without repetitions. `key` is what may not be repeated: a projection of the item.
template <class T, class Key>
Value<std::vector<T>> list(const Value<T>& item, std::size_t least, std::string must, Key key) {
  Json schema = {{"type", "array"}, {"items", item.schema}, {"uniqueItems", true}};
  if (least > 0) schema["minItems"] = least;
  return {must, schema,
          [item, least, must, key](const Json& found, const std::string& field) -> Result<std::vector<T>> {
            if (!found.is_array() || found.size() < least) return wrong(found, field, must);
            std::vector<T> items;
            std::set<std::decay_t<std::invoke_result_t<const Key&, const T&>>> keys;
            for (std::size_t i = 0; i < found.size(); ++i) {
              HF_TRY(T value, item.read(found[i], fmt::format("{}[{}]", field, i)));
              const auto [known, is_new] = keys.insert(std::invoke(key, value));
              if (!is_new) return fail(EINVAL, "field \"{}\" has {} twice", field, in_quotes(*known));
              items.push_back(std::move(value));
            }
            return items;
          },
          [item](const std::vector<T>& items) {
            Json written = Json::array();
            for (const T& value : items) written.push_back(item.write(value));
            return written;
          }};
}

}  // namespace holdfast::json
