// facts.json beside a point's manifest: what may change of it. Replaced by one rename (law 11).
#pragma once

#include <optional>
#include <string>

#include "catalog/base/disk.h"
#include "catalog/model/entities.h"

namespace holdfast::repository {

struct Facts {
  std::optional<Point::Verification> verified;
};

// `point`: its directory in the repository.
Result<> write_facts(Directory& directory, const std::string& point, const Facts& facts);

}  // namespace holdfast::repository
