// Pages: all objects of a kind, some at a time.
#include <functional>

#include "catalog/stores/flows.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

// Returns a page of a store: the views of the objects after `after`.
template <class View, class Store>
Result<PageOf<View>> page(Catalog& catalog, ObjectKind kind, Id after, int at_most, const Caller& reader,
                          const std::function<Result<View>(db::Connection&, Id, Sight&)>& view) {
  return catalog.read([&](db::Connection& db) -> Result<PageOf<View>> {
    PageOf<View> page;
    Sight sight(db, reader);
    HF_TRY(const auto ids, Store(db).after(after, at_most));
    for (const Id id : ids) {
      page.last = id;
      if (!sight.covers(kind, id)) continue;
      HF_TRY(View one, view(db, id, sight));
      page.seen.push_back(std::move(one));
    }
    return page;
  });
}

}  // namespace

Result<PageOf<MachineView>> Status::machines_after(Id after, int at_most, const Caller& reader) {
  return page<MachineView, Machines>(services_.catalog, ObjectKind::machine, after, at_most, reader,
                                     [this](db::Connection& db, Id id, Sight& sight) {
                                       return view_machine(db, id, services_.clock.now(), sight);
                                     });
}

Result<PageOf<FlowView>> Status::flows_after(Id after, int at_most, const Caller& reader) {
  return page<FlowView, Flows>(services_.catalog, ObjectKind::flow, after, at_most, reader,
                               [this](db::Connection& db, Id id, Sight& sight) {
                                 return view_flow(db, id, services_.clock.now(), sight);
                               });
}

Result<PageOf<PointView>> Status::points_after(Id after, int at_most, const Caller& reader) {
  return page<PointView, Points>(services_.catalog, ObjectKind::point, after, at_most, reader,
                                 [this](db::Connection& db, Id id, Sight& sight) {
                                   return view_point(db, id, services_.clock.now(), sight);
                                 });
}

}  // namespace holdfast
