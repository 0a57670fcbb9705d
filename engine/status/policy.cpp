// Policies, and how many flows have them.
#include <algorithm>

#include "catalog/stores/policies.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {

Result<PolicyView> Status::policy(Id id, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) -> Result<PolicyView> {
    PolicyView view;
    HF_TRY(view.policy, Policies(db).get(id));
    HF_TRY(const auto flows, Policies(db).users(id));
    Sight sight(db, reader);
    view.flows = std::ranges::count_if(flows, [&](Id flow) { return sight.covers(ObjectKind::flow, flow); });
    view.revision = view.policy.revision;
    return view;
  });
}

}  // namespace holdfast
