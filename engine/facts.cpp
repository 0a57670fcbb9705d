// What people say of points: pins and verdicts. The catalog has them at once; their repository is told after
// that.
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "engine/audit.h"
#include "engine/live_engine.h"

namespace holdfast {
namespace {

// A fact is added or taken away by `change`, in one transaction with its event.
template <class Change>
Result<> change_facts(Catalog& catalog, const Clock& clock, std::string_view word, Id point,
                      std::string_view reason, const Caller& caller, Change change) {
  return catalog.write([&](db::Connection& db) -> Result<> {
    HF_CHECK(change(db));
    HF_CHECK(Points(db).touch(point));
    HF_TRY(std::string path, path_of(db, ObjectKind::point, point));
    Event event = make_event(clock, word, std::move(path), caller);
    event.reason = reason;
    return record(db, event);
  });
}

}  // namespace

Result<> LiveEngine::pin(Id point, const PinRequest& request, const Caller& caller) {
  const Time now = clock_.now();
  if (request.until && *request.until <= now)
    return fail(EINVAL, "until={} is over; a pin holds until a time to come", iso_time(*request.until));
  const Pin pin{.id = new_id(),
                .point_id = point,
                .at = now,
                .by = user_name(caller.uid),
                .until = request.until,
                .why = request.why};
  HF_CHECK(change_facts(*catalog_, clock_, "point.pin", point, request.why, caller,
                        [&](db::Connection& db) { return Pins(db).add(pin); }));
  announce(ObjectKind::point, point);
  return {};
}

Result<> LiveEngine::unpin(Id point, const Caller& caller) {
  HF_CHECK(change_facts(*catalog_, clock_, "point.unpin", point, "", caller,
                        [&](db::Connection& db) { return Pins(db).remove_all(point); }));
  announce(ObjectKind::point, point);
  return {};
}

Result<> LiveEngine::give_verdict(Id point, const VerdictRequest& request, const Caller& caller) {
  const Verdict verdict{.id = new_id(),
                        .point_id = point,
                        .at = clock_.now(),
                        .result = request.result,
                        .by = request.by,
                        .text = request.text};
  const std::string said = fmt::format("{} by {}", to_word(request.result), request.by);
  HF_CHECK(change_facts(*catalog_, clock_, "point.verdict", point, said, caller,
                        [&](db::Connection& db) { return Verdicts(db).add(verdict); }));
  announce(ObjectKind::point, point);
  return {};
}

}  // namespace holdfast
