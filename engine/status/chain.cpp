// Chains: the points that rest on one full, and their layers.
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {

Result<ChainView> Status::chain(Id id, const Caller& reader) {
  return services_.catalog.read([&](db::Connection& db) -> Result<ChainView> {
    Points points(db);
    ChainView view;
    HF_TRY(view.chain, points.chain(id));
    HF_TRY(view.machine, Machines(db).name_of(view.chain.machine_id));
    HF_TRY(view.repository, Repositories(db).name_of(view.chain.repository_id));
    Sight(db, reader).keep_seen(ObjectKind::repository, view.repository);
    HF_TRY(view.points, points.of_chain(id));
    HF_TRY(view.layers, points.layers_of(id));
    HF_TRY(const Machine machine, Machines(db).get(view.chain.machine_id));
    view.revision = machine.revision;
    return view;
  });
}

}  // namespace holdfast
