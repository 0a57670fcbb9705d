// Reads the documents and the image headers of one point of a repository; repository/documents.h and
// repository/facts.h write them.
#pragma once

#include "catalog/base/disk.h"
#include "engine/rescan/found.h"

namespace holdfast::rescan {

// Reads the directory MACHINE KEY/NAME. An error says why it is no point, or can't be read. Images that are
// absent or of another point are findings, and the point is not whole.
Result<FoundPoint> read_point(const Directory& directory, const std::string& machine_key,
                              const std::string& name);

}  // namespace holdfast::rescan
