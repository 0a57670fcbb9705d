#include "fsd/version.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string summary(const SummaryView& view) {
  Json next = Json::array();
  for (const SummaryView::Start& start : view.next)
    next.push_back({{"flow", start.flow}, {"at", iso_time(start.at)}});
  return document({
      {"revision", view.revision},
      {"health", view.warnings.empty() ? "ok" : "warning"},
      {"version", kVersion},
      {"started_at", iso_time(view.started_at)},
      {"running", view.running},
      {"next_runs", next},
      {"draining", view.draining},
      {"readers", view.readers},
      {"totals",
       {{"machines", view.machines},
        {"repositories", view.repositories},
        {"flows", view.flows},
        {"points", view.points},
        {"bytes_stored", view.bytes_stored}}},
      {"warnings", view.warnings},
  });
}

}  // namespace holdfast::views
