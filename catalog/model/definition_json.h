// Definitions to and from JSON. One shape a kind (catalog/model/shapes) reads, writes, describes and stores
// them, so that the four can't drift apart. A machine has fields of its driver besides: the functions for
// machines are specialised in engine/sources/machine_json.h, except the two for the catalog's storage.
#pragma once

#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "catalog/model/definitions.h"

namespace holdfast {

// Parses and checks a whole config.json. EINVAL names the field, the value found and the allowed values, with
// a suggestion for a near miss. Absent fields get their defaults. References are not looked up.
template <class Definition>
Result<Definition> parse_definition(std::string_view text);

// Prints every field with its value, in the order of the shape, indented, ending in a newline.
template <class Definition>
std::string print_definition(const Definition& definition);

// The JSON Schema of the same shape.
template <class Definition>
const std::string& definition_schema();

// The name of the first field that differs and that only root may set (law 19), or "".
template <class Definition>
std::string root_only_change(const Definition& before, const Definition& after);

// The text that the catalog stores, on one line: every field but the references, which columns hold by id.
template <class Definition>
std::string stored_text(const Definition& definition);

// Reads a stored text; references are empty. EIO or EINVAL: the text is not what stored_text makes.
template <class Definition>
Result<Definition> stored_definition(std::string_view text);

}  // namespace holdfast
