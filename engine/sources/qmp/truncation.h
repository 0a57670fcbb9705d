// Whether a source's files still hold what its images say: QEMU reads what lies beyond the end of a file as
// zeros, without an error.
#pragma once

#include "engine/sources/qmp/nodes.h"

namespace holdfast::source::qmp {

// The file is as long as QEMU knows it to be, for the node and all that it rests on. Cheap. Files that can't
// be seen from this host are passed over.
Result<> check_not_truncated(const Node& node, const Nodes& nodes);

// And, for qcow2, as long as its tables say, which finds an image that was cut off before QEMU opened it.
// Reads all L2 tables: an eighth of a promille of the disk.
Result<> check_holds_all_clusters(const Node& node, const Nodes& nodes);

}  // namespace holdfast::source::qmp
