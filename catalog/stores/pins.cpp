#include "catalog/stores/pins.h"

#include "catalog/stores/row.h"

namespace holdfast {
namespace {

Result<Pin> read_pin(db::Statement& statement) {
  Pin pin;
  Row row(statement);
  row >> pin.id >> pin.point_id >> pin.at >> pin.by_name >> pin.until >> pin.why >> pin.by;
  return pin;
}

Result<Verdict> read_verdict(db::Statement& statement) {
  Verdict verdict;
  Row row(statement);
  row >> verdict.id >> verdict.point_id >> verdict.at >> verdict.result >> verdict.by_name >> verdict.text >>
      verdict.by;
  HF_CHECK(row.check());
  return verdict;
}

Result<> of_a_point(const db::Result<>& done, Id point) {
  if (!done && done.error().kind == db::Kind::foreign_key)
    return fail(ENOENT, "there is no point with id {}", point);
  HF_CHECK(done);
  return {};
}

}  // namespace

Result<> Pins::add(const Pin& pin) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO pins (id, point_id, at, pinned_by, until, why, uid, gid, pid)
    VALUES (:id, :point, :at, :by_name, :until, :why, :uid, :gid, :pid))sql"));
  return of_a_point(bind_caller(insert, pin.by)
                        .bind(":id", pin.id)
                        .bind(":point", pin.point_id)
                        .bind(":at", milliseconds(pin.at))
                        .bind(":by_name", or_null(pin.by_name))
                        .bind(":until", milliseconds(pin.until))
                        .bind(":why", or_null(pin.why))
                        .run(),
                    pin.point_id);
}

Result<std::vector<Pin>> Pins::of_point(Id point) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, point_id, at, pinned_by, until, why, uid, gid, pid
    FROM pins WHERE point_id = :point ORDER BY id)sql"));
  return all_rows(found.bind(":point", point), read_pin);
}

Result<> Pins::remove_all(Id point) {
  HF_TRY(auto remove, db_.prepare("DELETE FROM pins WHERE point_id = :point"));
  HF_CHECK(remove.bind(":point", point).run());
  if (db_.changes() == 0) return fail(ENOENT, "the point is not pinned");
  return {};
}

Result<std::int64_t> Pins::remove_ended(Time now) {
  HF_TRY(auto remove, db_.prepare("DELETE FROM pins WHERE until IS NOT NULL AND until <= :now"));
  HF_CHECK(remove.bind(":now", milliseconds(now)).run());
  return db_.changes();
}

Result<> Verdicts::add(const Verdict& verdict) {
  HF_TRY(auto insert, db_.prepare(R"sql(
    INSERT INTO verdicts (id, point_id, at, result, given_by, text, uid, gid, pid)
    VALUES (:id, :point, :at, :result, :by_name, :text, :uid, :gid, :pid))sql"));
  return of_a_point(bind_caller(insert, verdict.by)
                        .bind(":id", verdict.id)
                        .bind(":point", verdict.point_id)
                        .bind(":at", milliseconds(verdict.at))
                        .bind(":result", to_word(verdict.result))
                        .bind(":by_name", or_null(verdict.by_name))
                        .bind(":text", or_null(verdict.text))
                        .run(),
                    verdict.point_id);
}

Result<std::vector<Verdict>> Verdicts::of_point(Id point) {
  HF_TRY(auto found, db_.prepare(R"sql(
    SELECT id, point_id, at, result, given_by, text, uid, gid, pid
    FROM verdicts WHERE point_id = :point ORDER BY id)sql"));
  return all_rows(found.bind(":point", point), read_verdict);
}

}  // namespace holdfast
