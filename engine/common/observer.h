// The one way in which the engine tells the rooms above it of changes.
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
  // Called from any thread of the engine, after the commit, without locks of the engine held. Must return
  // quickly.
  virtual void changed(ObjectKind kind, Id id) = 0;
};

}  // namespace holdfast
