#include <algorithm>

#include "catalog/base/version.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

namespace {

std::string_view health(const SummaryView& view) {
  if (view.sees_nothing) return "unknown";
  const auto weighs = [](const Warning& warning) { return warning.weight == Warning::Weight::error; };
  if (std::ranges::any_of(view.warnings, weighs)) return "error";
  return view.warnings.empty() ? "ok" : "warning";
}

}  // namespace

std::string summary(const SummaryView& view) {
  Json warnings = Json::array();
  for (const Warning& warning : view.warnings)
    warnings.push_back({{"object", warning.object},
                        {"since", time_or_null(warning.since)},
                        {"reason", warning.reason},
                        {"message", warning.message},
                        {"fix", warning.fix}});
  Json next = Json::array();
  for (const SummaryView::Start& start : view.next)
    next.push_back({{"flow", start.flow}, {"at", iso_time(start.at)}});
  return document({
      {"revision", view.revision},
      {"health", health(view)},
      {"version", kVersion},
      {"started_at", iso_time(view.started_at)},
      {"running", view.running},
      {"next", next},
      {"draining", view.draining},
      {"readers", view.readers},
      {"totals",
       {{"machines", view.machines},
        {"repositories", view.repositories},
        {"flows", view.flows},
        {"points", view.points},
        {"bytes_stored", view.bytes_stored}}},
      {"capacity",
       {{"capacity_bytes", number_or_null(view.capacity.capacity_bytes)},
        {"free_bytes", number_or_null(view.capacity.free_bytes)},
        {"used_bytes", view.capacity.used_bytes}}},
      {"last_verified_at", time_or_null(view.verified.last_at)},
      {"verified_share", number_or_null(view.verified.share)},
      {"warnings", warnings},
  });
}

}  // namespace holdfast::views
