// Definitions with fields that a driver alone has, as its config.json would give them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "catalog/model/definitions.h"
#include "catalog/model/json_text.h"

namespace holdfast {

inline DriverFields driver_fields(const nlohmann::ordered_json& fields) { return json::compact(fields); }

inline DiskDefinition a_disk(const std::string& name, const nlohmann::ordered_json& fields) {
  return {name, driver_fields(fields)};
}

}  // namespace holdfast
