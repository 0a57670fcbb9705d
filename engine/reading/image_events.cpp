#include "engine/reading/image_events.h"

#include "catalog/base/log.h"
#include "engine/common/audit.h"
#include "engine/objects/kinds.h"

namespace holdfast {

void tell_of_image(const capture::Services& services, Id point_disk, std::string_view word,
                   EventResult result, const std::string& reason, const Caller& caller) {
  const auto told = services.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, ObjectKind::point_disk, point_disk));
    Event event = make_event(services.clock.now(), word, std::move(path), caller);
    event.result = result;
    event.reason = reason;
    return record(db, event);
  });
  if (!told) log::error("{}; that can't be recorded: {}", reason, told.error().message);
}

}  // namespace holdfast
