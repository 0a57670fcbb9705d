// Change ids from which no capture will continue. Each capture removes its parent's; the last one would stay
// at the source for ever (law 8).
#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "catalog/db/connection.h"
#include "catalog/model/entities.h"

namespace holdfast::capture {

// Gives up the newest point's change ids, of one repository or of all: of the disks for which `is_unwanted`
// returns true. A later capture of such a disk is a full. Add the machine to LeftBehind after the
// transaction, so that the sweeper removes them at the source that `machine`, as it was, names.
Result<> give_up_change_ids(db::Connection& db, const Machine& machine, std::optional<Id> repository,
                            const std::function<bool(std::string_view disk)>& is_unwanted);

// Does so for what the machine's present state leaves unwanted: another driver, disks that it has no more, or
// its retirement. `before` is the machine whose captures made the change ids.
Result<> give_up_unwanted(db::Connection& db, const Machine& before);

// Does so for machines that backup flow `before` captured, where no flow backs them up into that repository
// any more. Call when the flow has another definition or is gone. Returns those machines.
Result<std::vector<Id>> give_up_unwanted(db::Connection& db, const Flow& before);

}  // namespace holdfast::capture
