// Applies changes of objects and makes them known.
#pragma once

#include <string>
#include <string_view>

#include "engine/common/audit.h"
#include "engine/common/observer.h"
#include "engine/common/services.h"
#include "engine/objects/kinds.h"
#include "engine/repository/definitions.h"

namespace holdfast {

// Everything passed to the constructor must outlive it. Any thread may call.
class Changes {
 public:
  Changes(const capture::Services& services, repository::Definitions& definitions, Observer& observer)
      : services_(services), definitions_(definitions), observer_(observer) {}

  // Runs `act(db)`, which returns a Result<>, and records the event `word` in the same transaction (law 15);
  // then announces the object. Reads `reason` after `act`.
  template <class Act>
  Result<> apply(ObjectKind kind, Id id, std::string_view word, const Caller& caller,
                 const std::string& reason, Act act) {
    HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(act(db));
      HF_TRY(std::string path, path_of(db, kind, id));
      Event event = make_event(services_.clock.now(), word, std::move(path), caller);
      event.reason = reason;
      return record(db, event);
    }));
    announce(kind, id);
    return {};
  }

  repository::Definitions& definitions() { return definitions_; }

  // Tells the observer and the repositories that an object has changed.
  void announce(ObjectKind kind, Id id) {
    definitions_.changed();
    observer_.changed(kind, id);
  }

 private:
  const capture::Services& services_;
  repository::Definitions& definitions_;
  Observer& observer_;
};

}  // namespace holdfast
