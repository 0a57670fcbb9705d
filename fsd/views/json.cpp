#include "fsd/views/json.h"

namespace holdfast::views {
namespace {

// Text that came from outside may be no UTF-8; it is shown with replacement characters, not refused.
std::string dump(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string document(const Json& json) { return dump(json, 2); }

std::string line(const Json& json) { return dump(json, -1); }

Json time_or_null(const std::optional<Time>& time) { return time ? Json(iso_time(*time)) : Json(nullptr); }

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

}  // namespace holdfast::views
