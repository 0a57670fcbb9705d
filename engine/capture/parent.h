// What the next point of a machine may rest on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/capture/services.h"
#include "engine/repository/place.h"

namespace holdfast::capture {

struct ParentDisk {
  PointDisk disk;
  std::vector<Layer> layers;  // its stack, the newest first
};

// For each disk of the machine either a parent to rest on, or the reason why there is none (law 5).
struct Parent {
  std::optional<Point> point;  // the newest committed one in that repository, whether it is of use or not
  std::map<std::string, ParentDisk> usable;
  std::map<std::string, FullReason> reasons;
};

struct Wish {
  std::optional<PointKind> kind;
  std::optional<FullEvery> full_every;  // a full when the chain has come so far
};
Result<Parent> choose_parent(const Services& services, const repository::Place& place, const Machine& machine,
                             const Repository& repository, const Wish& wish);

// The sums of what the parent's disk held, for a disk that is held against them; or why there are none to
// rely on.
tl::expected<image::ContentReader, FullReason> open_content(const repository::Place& place,
                                                            const Machine& machine, const Point& point,
                                                            const ParentDisk& parent);

}  // namespace holdfast::capture
