// Policies: how long points are kept, and how runs are made.
#include "catalog/stores/policies.h"

#include "engine/live_engine.h"

namespace holdfast {

Result<PolicyView> LiveEngine::policy(Id id) {
  return catalog_->read([&](db::Connection& db) -> Result<PolicyView> {
    PolicyView view;
    HF_TRY(view.policy, Policies(db).get(id));
    HF_TRY(view.flows, Policies(db).users(id));
    view.revision = view.policy.revision;
    return view;
  });
}

Result<> LiveEngine::define(Id id, const PolicyDefinition& definition, const Caller& caller) {
  return change(ObjectKind::policy, id, "policy.define", caller, "",
                [&](db::Connection& db) { return Policies(db).define(id, definition, clock_.now()); });
}

}  // namespace holdfast
