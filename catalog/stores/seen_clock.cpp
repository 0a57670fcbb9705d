#include "catalog/stores/seen_clock.h"

#include "catalog/stores/row.h"

namespace holdfast {

Result<std::optional<SeenClock>> read_seen_clock(db::Connection& connection) {
  HF_TRY(auto found, connection.prepare("SELECT at, boot, uptime FROM seen_clock WHERE id = 1"));
  return first_row(found, [](db::Statement& statement) -> Result<SeenClock> {
    SeenClock seen;
    std::int64_t uptime = 0;
    Row row(statement);
    row >> seen.at >> seen.boot >> uptime;
    HF_CHECK(row.check());
    seen.uptime = std::chrono::milliseconds{uptime};
    return seen;
  });
}

Result<> write_seen_clock(db::Connection& connection, const SeenClock& seen) {
  HF_TRY(auto put, connection.prepare(R"sql(
    INSERT INTO seen_clock (id, at, boot, uptime) VALUES (1, :at, :boot, :uptime)
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, boot = excluded.boot, uptime = excluded.uptime)sql"));
  HF_CHECK(put.bind(":at", milliseconds(seen.at))
               .bind(":boot", seen.boot)
               .bind(":uptime", seen.uptime.count())
               .run());
  return {};
}

}  // namespace holdfast
