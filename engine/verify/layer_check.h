// One layer in its repository: is it the one that was written?
#pragma once

#include "engine/image/stack.h"
#include "engine/repository/place.h"

namespace holdfast::verify {

struct StoredLayer {
  Layer layer;
  std::string machine_key;
  std::string sums_sha256;  // as its point's manifest has it; "": nobody knows
  // Of a layer that no point shows: each stack that sees something of it. The rest may be holes.
  std::vector<std::vector<Layer>> seen_through{};
};

// EIO, with a sentence that names the file, when it isn't. `watch` sees the bytes that are read, and its
// error ends it.
Result<> check_quickly(const repository::Place& place, const StoredLayer& stored, const image::Watch& watch);
Result<> check_every_byte(const repository::Place& place, const StoredLayer& stored,
                          const image::Watch& watch);

}  // namespace holdfast::verify
