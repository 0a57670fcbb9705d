#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string plan_json(const PlanView& view) {
  Json points = Json::array();
  std::size_t stay = 0;
  for (const PlanView::OfPoint& point : view.points) {
    const bool stays = !point.reasons.empty();
    stay += stays ? 1 : 0;
    points.push_back({{"point", point.name},
                      {"stays", stays},
                      {"why", point.reasons},
                      {"good", point.good},
                      {"repository", point.repository},
                      {"flow", text_or_null(point.flow)},
                      {"policy", text_or_null(point.policy)}});
  }
  return document({
      {"machine", view.machine},
      {"stay", stay},
      {"go", view.points.size() - stay},
      {"retired_until", time_or_null(view.retired_until)},
      {"warning", text_or_null(view.warning)},
      {"points", points},
  });
}

}  // namespace holdfast::views
