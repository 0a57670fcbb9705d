// Gives back the room of what no point and no copy needs (law 11). A crash between any two instructions loses
// nothing, and the next pruning continues:
//
//   1. The catalog marks the point as retired.
//   2. The point's manifest is renamed to retired.json.
//   3. Files of layers that no other rests on are removed, then their rows. The point's directory and row
//      follow its last layer.
//   4. Data of the remaining hidden layers that no kept point sees is punched out. A file system without
//      holes keeps that data until a merge (merging.h) or the layer's removal.
//
// No step needs free space.
#pragma once

#include "engine/retention/ground.h"

namespace holdfast::retention {

// Returns EIO, naming the difference, if the repository differs from the catalog. Nothing may be deleted
// then.
Result<> check_listing(const Ground& ground);

// Says what of the machine lies aside there, or returns "". It may rest on any layer of the machine, so no
// layer goes or loses data before a person has deleted it (law 12).
Result<std::string> lies_aside(const Ground& ground);

Result<> mark_retired(const Ground& ground);
Result<> remove_unneeded(const Ground& ground);
Result<> punch_hidden(const Ground& ground);
// Whether the layer has already lost all data that its viewers don't see, as far as its file system allows.
bool is_punched(const Hidden& hidden);

}  // namespace holdfast::retention
