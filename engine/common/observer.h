// The one narrow way in which the engine tells what is above it that something has changed.
#pragma once

#include "catalog/base/id.h"

namespace holdfast {

enum class ObjectKind {
  machine,
  disk,
  point,
  point_disk,
  chain,
  group,
  schedule,
  policy,
  repository,
  flow,
  execution,
  job,
};

class Observer {
 public:
  virtual ~Observer() = default;
  // Called from any of the engine's threads, after the commit, with no lock of the engine held.
  // Must return quickly.
  virtual void changed(ObjectKind kind, Id id) = 0;
};

}  // namespace holdfast
