// Removes the things that captures made at a source (law 8).
#pragma once

#include <vector>

#include "engine/sources/driver.h"
#include "engine/sources/qmp/monitor.h"

namespace holdfast::source::qmp {

// The detail recorded with a bitmap.
struct BitmapDetail {
  std::string since;       // the bitmap that stopped recording when this one began; merged back if the point
                           // fails; "" if none
  std::string supersedes;  // removed, as `since` is, when the point is committed; "" if none
};
// The detail recorded with our node that a guest's device writes through.
struct DriveDetail {
  std::string node;  // the node that the device gets back
};
// Return the detail that the Ledger keeps with a name. It has the socket, because a definition may change
// before a sweep.
std::string detail_of(const std::string& socket);
std::string detail_of(const Monitor& monitor);
std::string detail_of(const Monitor& monitor, const BitmapDetail& bitmap);
std::string detail_of(const Monitor& monitor, const DriveDetail& drive);
// Returns the socket of a record; "" if the record isn't QMP's.
std::string socket_of(const Leftover& leftover);

// Removes things in one way: after a commit, after a failure, and in a later life of the daemon. Checks each
// by its exact name first, newest first. A thing may therefore be gone already, or never have been made, and
// undo() may be repeated.
//
// Takes removed things out of `made` and out of the ledger. A bitmap whose point's fate is unknown, or whose
// image's file system has no room for the removal, stays in both, and is no error. After a failure, continues
// with things that don't depend on it, and returns the first error.
Result<> undo(Monitor& monitor, std::vector<Leftover>& made, PointFate fate, Ledger& ledger);

}  // namespace holdfast::source::qmp
