// Keeps a driver's ledger in the catalog.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "catalog/catalog.h"
#include "engine/sources/driver.h"

namespace holdfast::capture {

// A record is durable at once. Forgetting is collected until settle(); a record that stays by mistake is
// found void by the next sweep. Used by one thread at a time. `catalog` must outlive the object.
class CatalogLedger final : public source::Ledger {
 public:
  CatalogLedger(Catalog& catalog, Id machine, Id point, std::string driver)
      : catalog_(catalog), machine_(machine), point_(point), driver_(std::move(driver)) {}

  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) override;
  Result<> forget(Id id) override;
  Result<> settle();

 private:
  Catalog& catalog_;
  const Id machine_;
  const Id point_;
  const std::string driver_;
  std::vector<Id> forgotten_;
};

}  // namespace holdfast::capture
