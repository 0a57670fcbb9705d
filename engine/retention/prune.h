// Pruning: what the rules no longer keep goes, and the room that it took comes back (laws 11 and 12).
//
//   is the repository what the catalog says? ─► points are retired, with an event each, while nobody opens
//   any
//     ─► room.h ─► merging.h
//
// The first step that finds something wrong ends it for that repository, with nothing deleted; the machine's
// status says so until a pruning has found all in order. Whatever was interrupted goes on at the next one.
#pragma once

#include "engine/capture/progress.h"
#include "engine/retention/ground.h"
#include "engine/retention/plan.h"

namespace holdfast::retention {

enum class Judging {
  by_policy,  // what the rules no longer keep goes
  nobody,     // what has gone already, alone
};

// Of a machine that nobody else works on, in all of its repositories. ECANCELED after a cancel; EBUSY while
// its points are being verified.
Result<Outcome> prune(const capture::Services& services, Id machine, Judging judging,
                      const source::Cancel& cancel);

// This point is none any more: what it took comes back with the next pruning. EBUSY, with a sentence, when
// something holds it. Nothing of it is deleted when its repository is not what the catalog says (EIO).
Result<> retire_point(const capture::Services& services, Id point, const Caller& caller);

// At start: exchanges of files that an earlier life was in the middle of come to their end.
void finish_merges(const capture::Services& services);

}  // namespace holdfast::retention
