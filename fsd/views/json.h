// How views write JSON: fields in a stable order, what is absent as null, two spaces, a newline at the end.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/base/clock.h"
#include "engine/engine.h"

namespace holdfast::views {

using Json = nlohmann::ordered_json;

// A whole file.
std::string document(const Json& json);
// One line of a .jsonl.
std::string line(const Json& json);

Json time_or_null(const std::optional<Time>& time);
Json text_or_null(std::string_view text);  // "" is null
Json progress(const Progress& progress);

template <class E>
Json word_or_null(const std::optional<E>& value) {
  return value ? Json(to_word(*value)) : Json(nullptr);
}

// Between two instants, once both are there.
Json seconds_or_null(const std::optional<Time>& from, const std::optional<Time>& to);

}  // namespace holdfast::views
