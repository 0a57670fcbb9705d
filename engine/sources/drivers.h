// The table of source drivers: a new driver is a folder beside this file and one line in drivers.cpp.
#pragma once

#include <span>
#include <string_view>

#include "engine/sources/driver.h"
#include "engine/sources/fields.h"

namespace holdfast::source {

struct Registration {
  std::string_view name;  // as config.json has it
  Driver& driver;         // lives as long as the program
  const Fields& fields;
};

std::span<const Registration> drivers();

// The driver of that name. EINVAL: no driver has it.
Result<Driver*> driver_for(std::string_view name);

}  // namespace holdfast::source
