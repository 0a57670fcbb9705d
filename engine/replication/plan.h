// Which points go over, and what each of their disks rests on there.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/stores/copies.h"

namespace holdfast::replication {

// A layer of the other side, that shows what one of this side shows.
struct Base {
  std::string point;  // whose it is, by name
  Layer layer;
};

// How a disk of a point goes over.
struct Part {
  PointDisk disk;
  std::string sums_sha256;    // of the newest of its layers
  std::vector<Layer> layers;  // the newest first: those of this side that become one
  std::optional<Base> base;   // what it rests on there; absent: nothing
};

// A copy on its way, with the disks that were written so far.
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
  std::vector<Copies::Holding> lacking;  // what this side has and the other one lacks, by time
  std::map<Id, Base> bases;              // by layer of this side
  std::vector<Copy> writing;             // what an earlier try has left
};
Result<Sides> look_at_both(db::Connection& db, Id machine, Id from, Id to);

// Each disk down to the first layer that is in `usable`: one of `bases`, or one that will be among them.
Result<Carry> plan_carry(db::Connection& db, const Copies::Holding& point, const std::map<Id, Base>& bases,
                         const std::set<Id>& usable);

// What the point is in the other repository.
Point as_copied(const Carry& carry, Id repository);

}  // namespace holdfast::replication
