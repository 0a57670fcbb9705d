#include "fsd/views/json.h"

#include <cmath>

#include "catalog/model/json_text.h"

namespace holdfast::views {

std::string document(const Json& json) { return json::indented(json); }

std::string line(const Json& json) { return json::compact(json) + "\n"; }

Json time_or_null(const std::optional<Time>& time) { return time ? Json(iso_time(*time)) : Json(nullptr); }

Json number_or_null(const std::optional<double>& number) { return number ? Json(*number) : Json(nullptr); }

Json number_or_null(const std::optional<std::uint64_t>& number) {
  return number ? Json(*number) : Json(nullptr);
}

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

Json progress(const Progress& progress) {
  return {{"done", progress.done},
          {"total", progress.total},
          {"rate", progress.rate},
          {"seconds_left", progress.seconds_left ? Json(*progress.seconds_left) : Json(nullptr)}};
}

Json seconds_or_null(const std::optional<Time>& from, const std::optional<Time>& to) {
  if (!from || !to) return nullptr;
  return static_cast<double>((*to - *from).count()) / 1000.0;
}

Json messages(const std::vector<Warning>& warnings) {
  Json sentences = Json::array();
  for (const Warning& warning : warnings) sentences.push_back(warning.message);
  return sentences;
}

Json seconds_or_null(const std::optional<double>& seconds) {
  return seconds ? Json(std::round(*seconds * 1000.0) / 1000.0) : Json(nullptr);
}

}  // namespace holdfast::views
