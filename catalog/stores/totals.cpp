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

Result<std::vector<OwnedTotals>> read_owned_totals(db::Connection& connection) {
  HF_TRY(auto found, connection.prepare(R"sql(
    SELECT uid, gid, mode, count(*), 0, 0, sum(points), sum(bytes_stored) FROM machines
    GROUP BY uid, gid, mode
    UNION ALL SELECT uid, gid, mode, 0, count(*), 0, 0, 0 FROM repositories GROUP BY uid, gid, mode
    UNION ALL SELECT uid, gid, mode, 0, 0, count(*), 0, 0 FROM flows GROUP BY uid, gid, mode)sql"));
  return all_rows(found, [](db::Statement& statement) -> Result<OwnedTotals> {
    OwnedTotals owned;
    Row row(statement);
    row >> owned.ownership.uid >> owned.ownership.gid >> owned.ownership.mode >> owned.totals.machines >>
        owned.totals.repositories >> owned.totals.flows >> owned.totals.points >> owned.totals.bytes_stored;
    HF_CHECK(row.check());
    return owned;
  });
}

}  // namespace holdfast
