// Fields of config.json that this driver alone has.
#pragma once

#include "engine/sources/fields.h"
#include "engine/sources/file/image.h"

namespace holdfast::source::file {

Result<ImageName> fields_of(const DiskDefinition& disk);

const Fields& fields();

}  // namespace holdfast::source::file
