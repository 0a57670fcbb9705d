// An empty catalog in a directory of its own, and the services of an engine over it.
#pragma once

#include "engine/capture/throttle.h"
#include "engine/common/observer.h"
#include "engine/common/services.h"
#include "engine/repository/readers.h"
#include "engine/repository/shelf.h"
#include "tests/lib/new_catalog.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {

// The time at which tests add their rows.
inline constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

class EngineRoom {
 protected:
  struct Nobody : Observer {
    void changed(ObjectKind, Id) override {}
  };

  TemporaryDirectory state_;
  const std::unique_ptr<Catalog> catalog_ = test::open_new_catalog(state_ / "catalog.sqlite");
  ClockWatch clock_watch_{system_clock()};
  repository::Shelf shelf_;
  capture::Throttles throttles_;
  repository::Readers readers_;
  LeftBehind left_behind_;
  const capture::Services services_{*catalog_,  system_clock(), clock_watch_, shelf_,
                                    throttles_, readers_,       left_behind_, state_ / "scratch"};
  Nobody nobody_;
};

}  // namespace holdfast::test
