#include "fsd/views/json.h"
#include "fsd/views/views.h"

namespace holdfast::views {

std::string group_status(const GroupView& view) {
  Json members = Json::array(), warnings = Json::array();
  for (const Member& member : view.members)
    members.push_back({{"machine", member.machine}, {"enabled", member.enabled}});
  if (!view.any_enabled) warnings.push_back("the group has no enabled machine: its flows back up nothing");
  return document({
      {"revision", view.revision},
      {"state", view.group.complete ? "ready" : "incomplete"},
      {"members", members},
      {"warnings", warnings},
  });
}

}  // namespace holdfast::views
