// A point, or a copy of one, under verification: what it rests on, and what was found.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/model/entities.h"
#include "engine/verify/verify.h"

namespace holdfast::verify {

struct Stored {
  StoredLayer layer;
  Id repository = 0;
  Id machine = 0;
  std::optional<Error> fault;  // found by a look at its files
};
using StoredLayers = std::map<Id, Stored>;  // by layer

struct PointCheck {
  Point point;
  Id repository = 0;          // where the point, or the copy, lies
  std::optional<Id> copy_id;  // absent: the point itself
  std::string copy;           // "copy in repositories/r: ", or ""
  std::string path;           // "machines/m/points/T"
  std::string machine_key;
  std::map<std::string, std::vector<Id>> layers;    // by disk, the newest first
  std::map<std::string, Error> failed_comparisons;  // by disk: why it does not read as QEMU reads it
  std::string away;                                 // why the repository could not be looked at, or ""
};

std::vector<Damage> damage_of(const PointCheck& subject, const StoredLayers& layers);
// Returns why a part of the point could not be looked at; nullopt if all of it was.
std::optional<Error> why_unreadable(const PointCheck& subject, const StoredLayers& layers);

}  // namespace holdfast::verify
