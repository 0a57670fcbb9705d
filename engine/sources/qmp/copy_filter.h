// The way to keep what a guest overwrites that can't hurt the guest: its device writes through a filter of
// QEMU's, and when the filter can't keep the old content, the frozen instant is given up, not the write.
//
//   beside     device ──▶ disk0              made, and nothing goes through it yet
//   inserted   device ──▶ top ──▶ disk0      top does nothing, but what is below it can be exchanged
//   frozen     device ──▶ top ──▶ copy ──▶ disk0, and what disk0 held goes to the scratch image
//                                  └──▶ access: disk0 as it was, for the NBD export
//
// The tops of all disks are turned to their copies by one command, during which QEMU lets nothing be written:
// that is the freeze, and it needs no pause of the guest.
#pragma once

#include <string>
#include <vector>

#include "engine/sources/qmp/nodes.h"
#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

struct CopyFilter {
  std::string top, copy, access;  // the names of its nodes
  std::string node;               // the disk's
  std::string scratch;            // the scratch image's node, which has no backing
  std::string device;             // the guest's
};

// For the nodes beside a scratch image that is named so. Node names are limited to 31 bytes.
CopyFilter name_filter(const std::string& scratch, const std::string& node, const std::string& device);

// Before 9.0 what is read of `access` is wrong where a range was copied in its first part only: QEMU takes
// the whole range from the disk (hbitmap_status). Within one cluster of the copying, 64 KiB, that can't be.
Result<bool> errs_on_partly_copied(Source& source);

// Whether this QEMU has such filters (7.1 and newer).
Result<bool> has_copy_filters(Source& source);

Result<> add_copy(Source& source, const CopyFilter& filter);
Result<> add_top(Source& source, const CopyFilter& filter);
Result<> insert(Source& source, const CopyFilter& filter);
Result<> freeze(Source& source, const std::vector<CopyFilter>& filters);
Result<> add_access(Source& source, const CopyFilter& filter);

// The device has its disk again, and nothing is copied any more. The access node has gone before. Fine where
// there never was a top, or where it has no device any more.
Result<> take_out(Source& source, const std::string& top, const std::string& node);

}  // namespace holdfast::source::qmp
