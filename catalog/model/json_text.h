// JSON as text, and text as JSON. Text from outside that is no UTF-8 is shown with replacement characters,
// not refused.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace holdfast::json {

// Prints on one line, without a newline.
template <class Json>
std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Prints for people: a field a line, and a newline at the end.
template <class Json>
std::string indented(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Text as JSON; "" stands for an absent text, which is null.
inline nlohmann::ordered_json text_or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

}  // namespace holdfast::json
