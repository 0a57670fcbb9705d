// The disks of a point, open for reading.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/common/services.h"
#include "engine/image/stack.h"
#include "engine/repository/readers.h"
#include "engine/repository/shelf.h"

namespace holdfast::boot {

// Keeps the point from being pruned (law 12), and its repository from being detached. Reads are verified (law
// 13), whatever the setting verify_reads says.
struct PointDisks {
  struct Disk {
    std::string name;
    std::shared_ptr<image::Stack> stack;
  };
  std::shared_ptr<repository::Shelf::Use> use;
  std::unique_ptr<repository::Readers::Open> open;
  std::vector<Disk> disks;
};

// Opens them in the point's own repository or, if that fails, in one that holds a copy. Returns the first
// error if all fail.
Result<PointDisks> open_disks(const capture::Services& services, Id point);

}  // namespace holdfast::boot
