// Services that captures, replications, prunings and all other work use.
#pragma once

#include <string>

#include "catalog/base/clock.h"
#include "catalog/base/id.h"
#include "catalog/catalog.h"
#include "engine/common/clock_watch.h"
#include "engine/common/left_behind.h"

namespace holdfast::repository {
class Shelf;
class Readers;
}  // namespace holdfast::repository

namespace holdfast::capture {

class Throttles;

// An engine has one of each, which outlives all work. Any thread may use them.
struct Services {
  Catalog& catalog;
  const Clock& clock;
  ClockWatch& clock_watch;
  repository::Shelf& shelf;
  Throttles& throttles;
  repository::Readers& readers;
  LeftBehind& left_behind;
  std::string scratch;                        // directory for sockets and copy-before-write files
  std::string hooks = "/etc/holdfast/hooks";  // directory of the flows' commands; belongs to root
  Id life = new_id();                         // ids of this life of the daemon are greater
};

}  // namespace holdfast::capture
