// JSON as text. What came from outside may be no UTF-8: it is shown with replacement characters, not refused.
#pragma once

#include <string>

namespace holdfast::json {

// On one line, without an end of it.
template <class Json>
std::string compact(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// For people: a field a line, and a newline at the end.
template <class Json>
std::string indented(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace holdfast::json
