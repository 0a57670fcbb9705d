// Finds files that hold the same bytes as a damaged layer, or parts of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/common/services.h"
#include "engine/repository/place.h"
#include "engine/verify/verify.h"

namespace holdfast::repair {

// Files of the same image somewhere else. Nothing is known of their condition.
struct Twin {
  std::shared_ptr<repository::Place> place;
  repository::Place::LayerPaths paths;
};

struct Twins {
  std::vector<Twin> found;
  std::vector<Twin> donors;       // other layers of the same disk
  std::vector<std::string> away;  // a sentence for each repository that has one and could not be looked at
};

// Looks in the machine's other repositories, as the catalog knows them, and in its directory in this one,
// where a person may have moved or swapped files.
Result<Twins> find_twins(const capture::Services& services, const std::shared_ptr<repository::Place>& place,
                         const verify::DamagedLayer& damaged);

}  // namespace holdfast::repair
