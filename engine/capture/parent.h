// Chooses what the next point of a machine rests on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/common/services.h"
#include "engine/repository/place.h"

namespace holdfast::capture {

struct ParentDisk {
  PointDisk disk;
  std::vector<Layer> layers;  // the disk's stack, the newest first
};

// For each disk of the machine: a usable parent, or the reason why it has none (laws 5 and 21).
struct Parent {
  std::optional<Point> point;  // the newest committed point in that repository, usable or not
  std::map<std::string, ParentDisk> usable;
  std::map<std::string, FullReason> reasons;
};

struct Wish {
  std::optional<PointKind> kind;
  std::optional<FullEvery> full_every;  // a full when the chain is this old or long
};
// Fails if the parent can't be read, because that is no reason for a full.
Result<Parent> choose_parent(const Services& services, const repository::Place& place, const Machine& machine,
                             const Repository& repository, const Wish& wish);

// Opens the content sums of the parent's disk, or returns the reason why they can't be relied on. Fails if
// they can't be read.
Result<tl::expected<image::ContentReader, FullReason>> open_content(const repository::Place& place,
                                                                    const Machine& machine,
                                                                    const Point& point,
                                                                    const ParentDisk& parent);

}  // namespace holdfast::capture
