// When a repository will be full, by its growth of the last days.
#pragma once

#include <optional>

#include "catalog/stores/repository_sizes.h"
#include "engine/status/status.h"

namespace holdfast {

// Returns the time at which backups have used up that room; nullopt without growth, or if that is ten years
// away.
std::optional<Time> full_at(const std::optional<RepositorySizes::Growth>& growth, std::uint64_t room,
                            Time now);

// Returns a warning where no room is left for backups, or none after a week.
std::optional<Warning> warning_of_room(const Repository& repository, std::uint64_t room,
                                       std::optional<Time> full, Time now);

}  // namespace holdfast
