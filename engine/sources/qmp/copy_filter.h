// Keeps overwritten clusters without risk for the guest. The guest's device writes through a filter of
// QEMU's. If the filter can't keep the old content, QEMU gives up the frozen instant, not the guest's write.
//
//   beside     device ──▶ disk0              the filter exists, and nothing passes it yet
//   inserted   device ──▶ top ──▶ disk0      top does nothing, but the node below it can be replaced
//   frozen     device ──▶ top ──▶ copy ──▶ disk0; old content of disk0 goes to the scratch image
//                                  └──▶ access: disk0 at the frozen instant, for the NBD export
//
// One command turns the tops of all disks to their copies, while QEMU blocks all writes. This is the freeze;
// it needs no pause of the guest.
#pragma once

#include <string>
#include <vector>

#include "engine/sources/qmp/monitor.h"
#include "engine/sources/qmp/nodes.h"

namespace holdfast::source::qmp {

struct CopyFilter {
  std::string top, copy, access;  // the names of its nodes
  std::string node;               // the disk's
  std::string scratch;            // the scratch image's node, which has no backing file
  std::string device;             // the guest's
};

// Derives the node names from the scratch image's. QEMU limits node names to 31 bytes.
CopyFilter name_filter(const std::string& scratch, const std::string& node, const std::string& device);

// QEMU before 9.0 reads `access` wrongly if only the first part of a range was copied: it takes the whole
// range from the disk (hbitmap_status). Within one copied cluster of 64 KiB this can't happen.
Result<bool> errs_on_partly_copied(Monitor& monitor);

// Whether this QEMU has such filters (7.1 and newer).
Result<bool> has_copy_filters(Monitor& monitor);

Result<> add_copy(Monitor& monitor, const CopyFilter& filter);
Result<> add_top(Monitor& monitor, const CopyFilter& filter);
Result<> insert(Monitor& monitor, const CopyFilter& filter);
Result<> freeze(Monitor& monitor, const std::vector<CopyFilter>& filters);
Result<> add_access(Monitor& monitor, const CopyFilter& filter);

// Gives the device its disk back and ends the copying. The access node is gone already. A missing top, or one
// without a device, is no error.
Result<> take_out(Monitor& monitor, const std::string& top, const std::string& node);

}  // namespace holdfast::source::qmp
