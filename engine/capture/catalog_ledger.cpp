#include "engine/capture/catalog_ledger.h"

#include "catalog/stores/leftovers.h"

namespace holdfast::capture {

Result<Id> CatalogLedger::record(LeftoverKind kind, const std::string& name, const std::string& detail) {
  const Leftover leftover{.id = new_id(),
                          .machine_id = machine_,
                          .point_id = point_,
                          .kind = kind,
                          .name = name,
                          .detail = detail,
                          .driver = driver_};
  HF_CHECK(catalog_.write([&](db::Connection& db) { return Leftovers(db).add(leftover); }));
  return leftover.id;
}

Result<> CatalogLedger::forget(Id id) {
  forgotten_.push_back(id);
  return {};
}

Result<> CatalogLedger::settle() {
  if (forgotten_.empty()) return {};
  HF_CHECK(catalog_.write([&](db::Connection& db) -> Result<> {
    for (const Id id : forgotten_) HF_CHECK(Leftovers(db).remove(id));
    return {};
  }));
  forgotten_.clear();
  return {};
}

}  // namespace holdfast::capture
