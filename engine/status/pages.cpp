// Pages: all objects of a kind, some at a time.
#include "catalog/stores/flows.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/common/services.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

// Returns a page of a store: the views of the objects after `after`.
template <class Store, class View>
auto page(Catalog& catalog, Id after, int at_most, View view)
    -> Result<std::vector<typename std::invoke_result_t<View, db::Connection&, Id>::value_type>> {
  using Value = typename std::invoke_result_t<View, db::Connection&, Id>::value_type;
  return catalog.read([&](db::Connection& db) -> Result<std::vector<Value>> {
    std::vector<Value> views;
    HF_TRY(const auto ids, Store(db).after(after, at_most));
    for (const Id id : ids) {
      HF_TRY(Value one, view(db, id));
      views.push_back(std::move(one));
    }
    return views;
  });
}

}  // namespace

Result<std::vector<MachineView>> Status::machines_after(Id after, int at_most) {
  return page<Machines>(
      services_.catalog, after, at_most,
      [now = services_.clock.now()](db::Connection& db, Id id) { return view_machine(db, id, now); });
}

Result<std::vector<FlowView>> Status::flows_after(Id after, int at_most) {
  return page<Flows>(services_.catalog, after, at_most,
                     [this](db::Connection& db, Id id) { return view_flow(db, id, services_.clock.now()); });
}

Result<std::vector<PointView>> Status::points_after(Id after, int at_most) {
  const Time now = services_.clock.now();
  return page<Points>(services_.catalog, after, at_most,
                      [now](db::Connection& db, Id id) { return view_point(db, id, now); });
}

}  // namespace holdfast
