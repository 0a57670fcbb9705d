// The fields that machines of every driver have. engine/sources/machine_json.cpp makes the shape of each
// driver of them and of the driver's own.
#pragma once

#include <vector>

#include "catalog/model/definitions.h"
#include "catalog/model/json_shape.h"

namespace holdfast::json {

extern const char* const kMachineDescription;

// The fields before those of the driver and the disks. `driver` is the value of the field "driver".
std::vector<Field<MachineDefinition>> common_machine_fields(const Value<std::string>& driver);
std::vector<Field<DiskDefinition>> common_disk_fields();

// The list of disks, each of that shape.
Field<MachineDefinition> disks_field(const Shape<DiskDefinition>& disk);

}  // namespace holdfast::json
