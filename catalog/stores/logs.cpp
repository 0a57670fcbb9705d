#include "catalog/stores/logs.h"

#include "catalog/base/cut.h"
#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Logs::Line> read_line(db::Statement& statement) {
  Logs::Line line;
  Row row(statement);
  row >> line.id >> line.at >> line.machine >> line.text;
  return line;
}

}  // namespace

Result<> Logs::add(const Job& job, Time at, std::string_view text) {
  return insert(job.id, job.execution_id, at, text);
}

Result<> Logs::add(const Execution& execution, Time at, std::string_view text) {
  return insert(std::nullopt, execution.id, at, text);
}

Result<> Logs::insert(std::optional<Id> job, std::optional<Id> execution, Time at, std::string_view text) {
  if (text.empty()) return fail(EINVAL, "a line of a log has a text");
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO log_lines (id, job_id, execution_id, at, text)
    VALUES (:id, :job, :execution, :at, :text))sql"));
  HF_CHECK(insert.bind(":id", new_id())
               .bind(":job", job)
               .bind(":execution", execution)
               .bind(":at", milliseconds(at))
               .bind(":text", on_one_line(text))
               .run());
  return {};
}

Result<std::vector<Logs::Line>> Logs::of_job(Id job, Id after, int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, at, NULL, text FROM log_lines
    WHERE job_id = :job AND id > :after ORDER BY id LIMIT :at_most)sql"));
  return all_rows(found.bind(":job", job).bind(":after", after).bind(":at_most", at_most), read_line);
}

Result<std::vector<Logs::Line>> Logs::of_execution(Id execution, Id after, int at_most) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT log_lines.id, log_lines.at, machines.name, text
    FROM log_lines
    LEFT JOIN jobs ON jobs.id = job_id
    LEFT JOIN machines ON machines.id = jobs.machine_id
    WHERE log_lines.execution_id = :execution AND log_lines.id > :after
    ORDER BY log_lines.id LIMIT :at_most)sql"));
  return all_rows(found.bind(":execution", execution).bind(":after", after).bind(":at_most", at_most),
                  read_line);
}

}  // namespace holdfast
