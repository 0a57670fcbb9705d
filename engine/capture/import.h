// An image that somebody else made, as something to capture: one disk, and the first point of a machine.
#pragma once

#include <memory>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/db/connection.h"
#include "engine/foreign/image_file.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

struct ImportedImage {
  std::string disk;  // of the machine; made when it has none of that name
  // Found readable, and kept from being written to since then.
  std::shared_ptr<const foreign::ImageFile> file;
};

// EEXIST when the machine has a point in that repository already: an import is a first one.
Result<> check_first_point(db::Connection& db, Id machine, Id repository);

// To be used up by the thread that calls (foreign_image.h). It makes nothing anywhere, so that there is
// nothing to sweep. Each read is followed by a look at the file: EBUSY when somebody has written to it after
// all.
Result<std::unique_ptr<source::Capture>> capture_image(const ImportedImage& image, Time now);

}  // namespace holdfast::capture
