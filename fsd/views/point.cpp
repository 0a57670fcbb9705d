#include <algorithm>

#include "catalog/model/manifest_json.h"
#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {
namespace {

Json fields(const PointView& view) {
  Json shown =
      manifest(view.point, {.machine = view.machine, .repository = view.repository, .parent = view.parent});
  shown["repository"] = text_or_null(view.repository);
  shown["revision"] = std::max(view.point.id, view.point.revision);
  shown["copies"] = view.copies;
  shown["pins"] = pins_json(view.pins);
  shown["verdicts"] = verdicts_json(view.verdicts);
  shown["verified"] = verification_json(view.point.verified);
  shown["boot"] = boot_check_json(view.boot_check);
  return shown;
}

}  // namespace

std::string point_manifest(const PointView& view) { return document(fields(view)); }

std::string point_line(const PointView& view) { return line(fields(view)); }

}  // namespace holdfast::views
