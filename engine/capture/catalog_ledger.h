// A driver's ledger that lives in the catalog.
#pragma once

#include <vector>

#include "catalog/catalog.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// What is recorded is durable at once. What is forgotten is collected until settle(): should it stay by
// mistake, the next sweep finds it gone. One thread at a time.
class CatalogLedger final : public source::Ledger {
 public:
  CatalogLedger(Catalog& catalog, Id machine, Id point, Driver driver)
      : catalog_(catalog), machine_(machine), point_(point), driver_(driver) {}

  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) override;
  Result<> forget(Id id) override;
  Result<> settle();

 private:
  Catalog& catalog_;
  const Id machine_;
  const Id point_;
  const Driver driver_;
  std::vector<Id> forgotten_;
};

}  // namespace holdfast::capture
