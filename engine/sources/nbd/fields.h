// Fields of config.json that this driver alone has.
#pragma once

#include "engine/sources/fields.h"

namespace holdfast::source::nbd {

struct DiskFields {
  std::string uri;
  std::string bitmap;  // the dirty bitmap that its user manages
  bool trust_bitmap = false;
};

Result<DiskFields> fields_of(const DiskDefinition& disk);

const Fields& fields();

}  // namespace holdfast::source::nbd
