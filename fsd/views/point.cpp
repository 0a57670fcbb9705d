#include "catalog/model/manifest_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string point_manifest(const PointView& view) {
  Json shown =
      manifest(view.point, {.machine = view.machine, .repository = view.repository, .parent = view.parent});
  const auto& verified = view.point.verified;
  shown["verified"] = verified ? Json{{"at", iso_time(verified->at)},
                                      {"level", to_word(verified->level)},
                                      {"result", to_word(verified->result)}}
                               : Json();
  return document(shown);
}

}  // namespace holdfast::views
