// How every image of ours begins and ends, whoever fills it.
#pragma once

#include <cstdint>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/image/header.h"
#include "engine/image/host_file.h"
#include "engine/image/writer.h"

namespace holdfast::image {

// EINVAL when there is no image of such a disk with such clusters that QEMU opens.
Result<Geometry> new_geometry(std::uint64_t virtual_size, std::uint32_t cluster_size);

// Of an image that rests on nothing, has no id and no tables yet.
Header new_header(Geometry geometry, std::uint64_t virtual_size);

// What is left to do when everything below the L1 table has been appended: L1 and refcounts, then the
// header, with a sync before each and after it. Says what files and sums have come to.
Result<WriterSummary> complete(HostFile& host, Header header, Bytes l1);

}  // namespace holdfast::image
