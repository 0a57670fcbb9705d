// Takes away what captures made at a source.
#pragma once

#include <vector>

#include "engine/sources/driver.h"
#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

// What a bitmap's record says besides its name.
struct BitmapDetail {
  std::string since;  // the bitmap that stopped recording when this one began: they are merged when the point
                      // fails. "" when there was none
  std::string supersedes;  // goes when the point is committed, as `since` does; "" for none
};
// What the record of a guest's device says that writes through a node of ours, besides that node's name.
struct DriveDetail {
  std::string node;  // that it gets back
};
// What the Ledger keeps with each name. The socket is in it since a definition may change before a sweep.
std::string detail_of(const Source& source);
std::string detail_of(const Source& source, const BitmapDetail& bitmap);
std::string detail_of(const Source& source, const DriveDetail& drive);
// The socket of a record; "" when it isn't one of ours.
std::string socket_of(const Leftover& leftover);

enum class Outcome { committed, abandoned };

// The one way in which things go: after a commit, after a failure, and in another life of the daemon. Each is
// asked for by its exact name before it is taken away, newest first, so it may be gone already, or never
// have been made, and the whole may be done again.
//
// Takes out of `made`, and out of the ledger, what is gone. A bitmap that can't go for want of room in its
// image's file system stays in both, and is no error. After a failure it goes on with what doesn't depend on
// it, and returns the first error.
Result<> undo(Source& source, std::vector<Leftover>& made, Outcome outcome, Ledger& ledger);

}  // namespace holdfast::source::qmp
