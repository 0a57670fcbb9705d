// The first and the last steps of writing an image, for writer and merge.
#pragma once

#include <cstdint>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/header.h"
#include "engine/image/host_file.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// EINVAL if QEMU would open no image of such a disk with such clusters.
Result<Geometry> new_geometry(std::uint64_t virtual_size, std::uint32_t cluster_size);

// Returns the header of an image without backing file, id and tables.
Header new_header(Geometry geometry, std::uint64_t virtual_size);

// Completes an image of which everything below the L1 table was appended. Writes L1 and refcounts, then the
// header, with a sync before each and after it. Returns the sizes of image and sums.
Result<WriterSummary> complete(HostFile& host, Header header, Bytes l1);

}  // namespace holdfast::image
