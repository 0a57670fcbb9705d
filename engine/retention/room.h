// Gives back what nobody needs any more (law 11), in an order in which a crash at any instruction loses
// nothing and the next pruning goes on:
//
//   the catalog says that a point is retired ─► its manifest is called retired.json
//     ─► files of layers that nothing rests on go, and then their rows; with the last of them its directory
//     and its row ─► of the others, what no kept point sees becomes holes
//
// Nothing of it needs room.
#pragma once

#include "engine/retention/ground.h"

namespace holdfast::retention {

// EIO: what lies there is not what the catalog has: nothing may go. Names what differs.
Result<> check_listing(const Ground& ground);

Result<> mark_retired(const Ground& ground);
Result<> remove_unneeded(const Ground& ground);
Result<> punch_hidden(const Ground& ground);
// All that nobody sees of it was given back.
bool is_punched(const Hidden& hidden);

}  // namespace holdfast::retention
