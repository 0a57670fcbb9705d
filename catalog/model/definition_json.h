// Definitions to and from JSON: one table of fields a kind (definition_json.cpp) reads, writes and
// describes them, so that the three can't drift.
#pragma once

#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "catalog/model/definitions.h"

namespace holdfast {

// Parses and checks a whole config.json. EINVAL names the field, what was found and what is allowed,
// with a suggestion for a near miss. Absent fields get their defaults. What a field refers to is not
// looked up here.
template <class Definition>
Result<Definition> parse_definition(std::string_view text);

// Every field with its value, in the order of the table, indented, ending in a newline.
template <class Definition>
std::string print_definition(const Definition& definition);

// The JSON Schema of the same table.
template <class Definition>
const std::string& definition_schema();

// The fields that differ and that only root may set (law 19): the first one's name, or "".
template <class Definition>
std::string root_only_change(const Definition& before, const Definition& after);

#define HF_DEFINITION(D)                                           \
  extern template Result<D> parse_definition<D>(std::string_view); \
  extern template std::string print_definition<D>(const D&);       \
  extern template const std::string& definition_schema<D>();       \
  extern template std::string root_only_change<D>(const D&, const D&)

HF_DEFINITION(MachineDefinition);
HF_DEFINITION(RepositoryDefinition);
HF_DEFINITION(FlowDefinition);
HF_DEFINITION(CredentialDefinition);
HF_DEFINITION(SourceDefinition);
HF_DEFINITION(GroupDefinition);
HF_DEFINITION(ScheduleDefinition);
HF_DEFINITION(PolicyDefinition);
HF_DEFINITION(SettingsDefinition);
#undef HF_DEFINITION

}  // namespace holdfast
