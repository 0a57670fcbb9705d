// Groups and their members.
#include "catalog/stores/groups.h"
#include "engine/common/services.h"
#include "engine/status/status.h"

namespace holdfast {

Result<GroupView> Status::group(Id id) {
  return services_.catalog.read([&](db::Connection& db) -> Result<GroupView> {
    GroupView view;
    HF_TRY(view.group, Groups(db).get(id));
    HF_TRY(view.members, Groups(db).members(id));
    view.revision = view.group.revision;
    return view;
  });
}

}  // namespace holdfast
