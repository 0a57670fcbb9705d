#include "engine/sources/drivers.h"

#include <algorithm>

#include "engine/sources/file/driver.h"
#include "engine/sources/file/fields.h"
#include "engine/sources/nbd/driver.h"
#include "engine/sources/nbd/fields.h"
#include "engine/sources/qmp/driver.h"
#include "engine/sources/qmp/fields.h"

namespace holdfast::source {
namespace {

template <class D>
Driver& the() {
  static D driver;
  return driver;
}

}  // namespace

std::span<const Registration> drivers() {
  static const Registration all[] = {
      {"qmp", the<qmp::QmpDriver>(), qmp::fields()},
      {"nbd", the<nbd::NbdDriver>(), nbd::fields()},
      {"file", the<file::FileDriver>(), file::fields()},
  };
  return all;
}

Result<Driver*> driver_for(std::string_view name) {
  const auto known = std::ranges::find(drivers(), name, &Registration::name);
  if (known == drivers().end()) return fail(EINVAL, "there is no source driver '{}'", name);
  return &known->driver;
}

}  // namespace holdfast::source
