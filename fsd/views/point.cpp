#include "catalog/model/manifest_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string point_manifest(const PointView& view) {
  return document(
      manifest(view.point, {.machine = view.machine, .repository = view.repository, .parent = view.parent}));
}

}  // namespace holdfast::views
