#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string repository_status(const RepositoryView& view) {
  return document({
      {"revision", view.revision},
      {"state", view.state},
      {"capacity_bytes", view.capacity_bytes ? Json(*view.capacity_bytes) : Json(nullptr)},
      {"free_bytes", view.free_bytes ? Json(*view.free_bytes) : Json(nullptr)},
      {"used_bytes", view.used_bytes},
      {"points", view.points},
      {"commits", view.repository.commits},
      {"full_at_estimate", time_or_null(view.full_at)},
      {"last_verified_at", time_or_null(view.verified.last_at)},
      {"verified_share", number_or_null(view.verified.share)},
      {"warnings", view.warnings},
  });
}

}  // namespace holdfast::views
