// JSON as the views write it: fields in a stable order, absent values as null, indented by two spaces, a
// newline at the end.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/base/clock.h"
#include "engine/engine.h"

namespace holdfast::views {

using Json = nlohmann::ordered_json;

// Prints a whole file.
std::string document(const Json& json);
// Prints one line of a .jsonl file.
std::string line(const Json& json);

Json time_or_null(const std::optional<Time>& time);
Json number_or_null(const std::optional<std::uint64_t>& number);
Json number_or_null(const std::optional<double>& number);
Json text_or_null(std::string_view text);  // null for ""
Json progress(const Progress& progress);

template <class E>
Json word_or_null(const std::optional<E>& value) {
  return value ? Json(to_word(*value)) : Json(nullptr);
}

// The sentences alone, as the objects' own views have them.
Json messages(const std::vector<Warning>& warnings);
// Seconds with at most milliseconds.
Json seconds_or_null(const std::optional<double>& seconds);
// The seconds between two times; null if one is absent.
Json seconds_or_null(const std::optional<Time>& from, const std::optional<Time>& to);

}  // namespace holdfast::views
