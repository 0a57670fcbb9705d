// Groups and their members.
#include <algorithm>

#include "catalog/stores/groups.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {

Result<GroupView> Status::group(Id id, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) -> Result<GroupView> {
    GroupView view;
    HF_TRY(view.group, Groups(db).get(id));
    HF_TRY(view.members, Groups(db).members(id));
    view.any_enabled = std::ranges::any_of(view.members, &Member::enabled);
    Sight sight(db, reader);
    std::erase_if(view.members, [&](const Member& member) {
      return !sight.covers(ObjectKind::machine, member.machine_id);
    });
    view.revision = view.group.revision;
    return view;
  });
}

}  // namespace holdfast
