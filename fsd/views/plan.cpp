#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

namespace {

Json place_json(const PlanView::Location& place) {
  return {{"stays", !place.reasons.empty()},
          {"why", place.reasons},
          {"good", place.good},
          {"repository", text_or_null(place.repository)},
          {"flow", text_or_null(place.flow)},
          {"policy", text_or_null(place.policy)}};
}

}  // namespace

std::string plan_json(const PlanView& view) {
  Json points = Json::array();
  std::size_t stay = 0;
  for (const PlanView::PlannedPoint& point : view.points) {
    stay += point.reasons.empty() ? 0 : 1;
    Json copies = Json::array();
    for (const PlanView::Location& copy : point.copies) copies.push_back(place_json(copy));
    Json& one = points.emplace_back(Json{{"point", point.name}});
    one.update(place_json(point));
    one["copies"] = std::move(copies);
  }
  return document({
      {"revision", view.revision},
      {"machine", view.machine},
      {"stay", stay},
      {"go", view.points.size() - stay},
      {"bytes_to_free", view.bytes_to_free},
      {"bytes_to_free_at_least", view.bytes_to_free_at_least},
      {"retired_until", time_or_null(view.retired_until)},
      {"warning", text_or_null(view.warning)},
      {"points", points},
  });
}

}  // namespace holdfast::views
