// An execution as JSON: what its status.json has, and what its flow's hooks and notices are given.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "catalog/model/entities.h"

namespace holdfast {

nlohmann::ordered_json execution_json(const Execution& execution, const std::string& flow,
                                      const std::vector<Named>& jobs);

}  // namespace holdfast
