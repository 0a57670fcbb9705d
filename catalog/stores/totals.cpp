#include "catalog/stores/totals.h"

#include "catalog/stores/row.h"

namespace holdfast {

Result<Totals> read_totals(db::Connection& connection) {
  HF_TRY(auto found,
         connection.prepare("SELECT machines, repositories, flows, points, bytes_stored FROM totals"));
  HF_CHECK(found.step());
  Totals totals;
  Row row(found);
  row >> totals.machines >> totals.repositories >> totals.flows >> totals.points >> totals.bytes_stored;
  return totals;
}

}  // namespace holdfast
