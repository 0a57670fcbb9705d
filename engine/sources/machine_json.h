// A machine's config.json: the fields that all machines have (catalog/model/shapes/machine.h) and those of
// its driver. Specialises the functions of definition_json.h.
#pragma once

#include "catalog/model/definition_json.h"

namespace holdfast {

template <>
Result<MachineDefinition> parse_definition(std::string_view text);
template <>
std::string print_definition(const MachineDefinition& machine);
// The JSON Schema of all drivers: a document is right when it is one driver's.
template <>
const std::string& definition_schema<MachineDefinition>();
template <>
std::string root_only_change(const MachineDefinition& before, const MachineDefinition& after);

}  // namespace holdfast
