#include "catalog/stores/chained_starts.h"

#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<ChainedStart> read_start(db::Statement& statement) {
  ChainedStart start;
  Row(statement) >> start.flow_id >> start.after_flow_id;
  return start;
}

}  // namespace

Result<> ChainedStarts::add_after(Id flow, RunStatus status, Time now) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO chained_starts (flow_id, after_flow_id, added_at)
    SELECT id, after_flow_id, :now FROM flows
    WHERE after_flow_id = :flow AND (after_when = 'always' OR :status = 'success')
    ON CONFLICT (flow_id) DO NOTHING)sql"));
  HF_CHECK(insert.bind(":flow", flow).bind(":status", to_word(status)).bind(":now", milliseconds(now)).run());
  return {};
}

Result<std::vector<ChainedStart>> ChainedStarts::list() {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT flow_id, after_flow_id FROM chained_starts ORDER BY added_at, flow_id)sql"));
  return all_rows(found, read_start);
}

Result<> ChainedStarts::take(Id flow) {
  HF_TRY(auto remove, db_.prepare("DELETE FROM chained_starts WHERE flow_id = :flow"));
  HF_CHECK(remove.bind(":flow", flow).run());
  return {};
}

}  // namespace holdfast
