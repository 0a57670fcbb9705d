#include "catalog/model/manifest_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string point_manifest(const PointView& view) {
  Json shown =
      manifest(view.point, {.machine = view.machine, .repository = view.repository, .parent = view.parent});
  shown["verified"] = verification_json(view.point.verified);
  return document(shown);
}

}  // namespace holdfast::views
