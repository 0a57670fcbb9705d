// The shape of a machine's config.json: one a driver, told by its field "driver".
#pragma once

#include "catalog/model/definitions.h"
#include "catalog/model/json_shape.h"

namespace holdfast::json {

const Shape<MachineDefinition>& machine_shape(Driver driver);
// EINVAL when the document names no driver, or none that there is.
Result<const Shape<MachineDefinition>*> machine_shape_of(const Json& document);
// Of all drivers: a document is right when it is one driver's.
Json machine_schema();

}  // namespace holdfast::json
