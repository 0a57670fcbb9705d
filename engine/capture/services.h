// What the work of a capture stands on; one of each in an engine.
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
  std::string scratch;  // a directory of the host: sockets and copy-before-write files
  // Called with a machine of which something could not be taken away: recover() it again. Returns at once.
  std::function<void(Id machine)> left_behind = [](Id) {};
  // Called with a machine of which a flow with a policy has made a point, verified if it is to be. Returns at
  // once.
  std::function<void(Id machine)> point_made = [](Id) {};
  std::string hooks = "/etc/holdfast/hooks";  // a directory of the host: root's, the commands of flows
};

}  // namespace holdfast::capture
