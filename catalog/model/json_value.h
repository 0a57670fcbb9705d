// What a field of a definition can hold: how it is read, written and described, in one place each.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
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
  std::string must;  // what is right, for sentences: "a whole number from 1 to 22"
  Json schema;       // the same as JSON Schema
  // `field` is where it stands: "disks[0].name".
  std::function<Result<T>(const Json& found, const std::string& field)> read;
  std::function<Json(const T&)> write;
};

// field "cluster_size" is 1000; it must be a power of two …
tl::unexpected<Error> wrong(const Json& found, const std::string& field, std::string_view must);

Value<std::string> text();  // any
Value<std::string> text_not_empty();
Value<std::string> name();           // of an object: check_name
Value<std::string> disk_name();      // and not of a fixed file beside the disks
Value<std::string> target_path();    // "machines/NAME", "groups/NAME"
Value<std::string> socket_path();    // absolute, and short enough for a unix socket
Value<std::string> absolute_path();  // below /, without ".", ".." or a slash at its end
Value<std::string> service_uri();    // without a password in it
Value<std::string> nbd_uri();        // as libnbd takes it, without what it would misread in silence
Value<bool> boolean();
Value<int> integer(int least, int most);
Value<int> percent();                                                        // "0%" to "100%"
Value<std::uint64_t> power_of_two(std::uint64_t least, std::uint64_t most);  // 65536 or "64K"

// What a JSON reader that knows only doubles can hold.
constexpr std::uint64_t kMostBytes = 1ULL << 53;
Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most);  // 65536 or "64K"
Value<std::chrono::seconds> duration(std::chrono::seconds least);    // "90s", "4h"

// A value that may be absent, which is null.
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

// Text where "" is allowed as well, and means that there is none.
Value<std::string> or_empty(const Value<std::string>& value);

// Text that may be absent, which is null; "" is taken for it, too.
Value<std::string> or_null(const Value<std::string>& value);

std::string in_quotes(std::string_view text);
// "a", "b" or "c"
std::string one_of(const std::vector<std::string_view>& words);

template <class E>
Value<E> word() {
  const std::vector<std::string_view> words(Words<E>::words.begin(), Words<E>::words.end());
  const std::string must = one_of(words);
  return {must,
          {{"enum", words}},
          [must, words](const Json& found, const std::string& field) -> Result<E> {
            const auto known =
                found.is_string() ? from_word<E>(found.template get_ref<const std::string&>()) : std::nullopt;
            if (known) return *known;
            const std::string near =
                found.is_string() ? nearest(found.template get_ref<const std::string&>(), words) : "";
            if (near.empty()) return wrong(found, field, must);
            return wrong(found, field, fmt::format("{}; did you mean {}?", must, in_quotes(near)));
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
            for (std::size_t i = 0; i < found.size(); ++i) {
              HF_TRY(T value, item.read(found[i], fmt::format("{}[{}]", field, i)));
              for (const T& earlier : items)
                if (std::invoke(key, earlier) == std::invoke(key, value))
                  return fail(EINVAL, "field \"{}\" has {} twice", field, in_quotes(std::invoke(key, value)));
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
