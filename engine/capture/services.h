// Services that captures, replications and prunings use; an engine has one of each.
#pragma once

#include <functional>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/catalog.h"
#include "engine/capture/throttle.h"
#include "engine/repository/readers.h"
#include "engine/repository/shelf.h"

namespace holdfast::capture {

struct Services {
  Catalog& catalog;
  const Clock& clock;
  repository::Shelf& shelf;
  Throttles& throttles;
  repository::Readers& readers;
  std::string scratch;  // directory for sockets and copy-before-write files
  // Requests recover() of a machine whose leftovers could not be removed. Returns at once.
  std::function<void(Id machine)> left_behind = [](Id) {};
  // Reports a new point of a flow with a policy, verified first if the flow wants that. Returns at once.
  std::function<void(Id machine)> point_made = [](Id) {};
  std::string hooks = "/etc/holdfast/hooks";  // directory of the flows' commands; belongs to root
};

}  // namespace holdfast::capture
