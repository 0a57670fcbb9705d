// Captures an image that another program made: one disk, as the first point of a machine.
#pragma once

#include <memory>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/db/connection.h"
#include "engine/foreign/image_file.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

struct ImportedImage {
  std::string disk;  // name of the machine's disk; added if missing
  // Was found readable, and is locked against writers since.
  std::shared_ptr<const foreign::ImageFile> file;
};

// Returns EEXIST if the machine has a point in the repository, because an import must be the first.
Result<> check_first_point(db::Connection& db, Id machine, Id repository);

// Must be used up by the calling thread (foreign_image.h). The capture makes nothing at a source, so that
// nothing is swept. Each read checks the file afterwards: EBUSY if it was written to in spite of the lock.
Result<std::unique_ptr<source::Capture>> capture_image(const ImportedImage& image, Time now);

}  // namespace holdfast::capture
