// Events about images.
#pragma once

#include <string>
#include <string_view>

#include "catalog/model/entities.h"
#include "engine/common/services.h"

namespace holdfast {

// Records an event about an image. If the catalog refuses it, it goes to the daemon's log.
void tell_of_image(const capture::Services& services, Id point_disk, std::string_view event,
                   EventResult result, const std::string& reason, const Caller& caller);

}  // namespace holdfast
