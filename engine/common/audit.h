// The event log (law 15): who asked for what, and what came of it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "catalog/base/clock.h"
#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast {

// Makes an event; without a caller it is the daemon's own.
Event make_event(Time at, std::string_view event, std::string object, const std::optional<Caller>& caller);

// Records the event in the transaction of the change that it tells of. Its texts are cut, and put on one
// line.
Result<> record(db::Connection& db, Event event);

// Returns the login name of a user, or the number if there is none.
std::string user_name(std::uint32_t uid);

}  // namespace holdfast
