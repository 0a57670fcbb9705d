// Fields of config.json that this driver alone has.
#pragma once

#include <optional>

#include "engine/sources/fields.h"
#include "engine/sources/file/image.h"

namespace holdfast::source::qmp {

// Whether a guest is asked to come to rest before the freeze.
enum class Quiesce { automatic, never, required };

struct MachineFields {
  std::string socket;
  Quiesce quiesce = Quiesce::automatic;
};

struct DiskFields {
  std::string node;                 // the block node that the guest writes to
  std::optional<std::string> path;  // the image, read while the machine is off
  file::ImageFormat format = file::ImageFormat::raw;

  file::ImageName image() const { return {.path = path.value_or(""), .format = format}; }
};

Result<MachineFields> fields_of(const MachineDefinition& machine);
Result<DiskFields> fields_of(const DiskDefinition& disk);

const Fields& fields();

}  // namespace holdfast::source::qmp

namespace holdfast {
HF_WORDS(source::qmp::Quiesce, "", "auto", "never", "required");
}
