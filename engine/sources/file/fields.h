// Fields of config.json that this driver alone has.
#pragma once

#include "engine/sources/fields.h"

namespace holdfast::source::file {

struct DiskFields {
  std::string path;  // a file or a block device of this host
};

Result<DiskFields> fields_of(const DiskDefinition& disk);

const Fields& fields();

}  // namespace holdfast::source::file
