// Decides which points are carried, and which layers of the target each of their disks rests on.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/stores/copies.h"

namespace holdfast::replication {

// A layer of the target repository that shows the same as a layer of the origin.
struct Base {
  std::string point;  // name of the point that the layer belongs to
  Layer layer;
};

// Plan for one disk of a point.
struct Part {
  PointDisk disk;
  std::string sums_sha256;    // sums of the newest of `layers`
  std::vector<Layer> layers;  // layers of the origin that become one layer, the newest first
  std::optional<Base> base;   // the layer of the target to rest on; absent: none
};

// A copy being made, with the layers written so far.
struct Carry {
  Point point;
  std::vector<Part> parts;
  Copy copy;
  std::vector<Layer> layers;

  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const Part& part : parts)
      for (const Layer& layer : part.layers) sum += layer.file_bytes;
    return sum;
  }
  const Base* rests_on() const {
    for (const Part& part : parts)
      if (part.base) return &*part.base;
    return nullptr;
  }
};

struct Sides {
  std::vector<Copies::Holding> lacking;  // points of the origin that the target lacks, in their sequence
  std::map<Id, Base> bases;              // by id of the origin's layer
  std::vector<Copy> writing;             // copies that an earlier run left unfinished
};
Result<Sides> look_at_both(db::Connection& db, Id machine, Id from, Id to);

// Plans each disk down to its nearest layer that is in `usable`. `usable` holds the layers in `bases` and
// those that are carried before this point.
Result<Carry> plan_carry(db::Connection& db, const Copies::Holding& point, const std::map<Id, Base>& bases,
                         const std::set<Id>& usable);

}  // namespace holdfast::replication
