// Policies, and how many flows have them.
#include "catalog/stores/policies.h"
#include "engine/common/services.h"
#include "engine/status/status.h"

namespace holdfast {

Result<PolicyView> Status::policy(Id id) {
  return services_.catalog.read([&](db::Connection& db) -> Result<PolicyView> {
    PolicyView view;
    HF_TRY(view.policy, Policies(db).get(id));
    HF_TRY(view.flows, Policies(db).users(id));
    view.revision = view.policy.revision;
    return view;
  });
}

}  // namespace holdfast
