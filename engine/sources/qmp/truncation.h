// Checks that a source's files are complete, because QEMU reads bytes beyond the end of a file as zeros
// without an error.
#pragma once

#include "engine/sources/driver.h"
#include "engine/sources/qmp/nodes.h"

namespace holdfast::source::qmp {

// Checks that the files of the node and of its backing files are as long as QEMU knows them to be. Cheap.
// Skips files that aren't visible on this host.
Result<> check_not_truncated(const Node& node, const Nodes& nodes);

// Checks that qcow2 files are as long as their tables say. This finds an image that was cut off before QEMU
// opened it. Reads all L2 tables: an eighth of a promille of the disk.
Result<> check_holds_all_clusters(const Node& node, const Nodes& nodes, const Cancel* cancel);

}  // namespace holdfast::source::qmp
