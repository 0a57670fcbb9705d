#include "engine/common/audit.h"

#include <pwd.h>

#include <array>

#include "catalog/base/cut.h"
#include "catalog/stores/events.h"

namespace holdfast {

Event make_event(Time at, std::string_view event, std::string object, const std::optional<Caller>& caller) {
  Event made;
  made.id = new_id();
  made.at = at;
  made.event = event;
  made.object = std::move(object);
  made.by = caller;
  return made;
}

Result<> record(db::Connection& db, Event event) {
  event.object = cut(on_one_line(event.object), kLongestMessage);
  event.reason = cut(on_one_line(event.reason), kLongestMessage);
  return Events(db).add(event);
}

std::string user_name(std::uint32_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
    return found->pw_name;
  return std::to_string(uid);
}

}  // namespace holdfast
