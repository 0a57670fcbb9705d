// Points: pins and verdicts. The catalog holds them at once; the repository is told afterwards.
#include "catalog/stores/pins.h"
#include "catalog/stores/points.h"
#include "engine/objects/changes.h"
#include "engine/objects/objects.h"

namespace holdfast {

template <class Act>
Result<> Objects::change_facts(Id point, std::string_view word, const Caller& caller,
                               const std::string& reason, Act act) {
  return changes_.apply(ObjectKind::point, point, word, caller, reason, [&](db::Connection& db) -> Result<> {
    HF_CHECK(act(db));
    return Points(db).touch(point);
  });
}

Result<> Objects::pin(Id point, const PinRequest& request, const Caller& caller) {
  const Time now = services_.clock.now();
  if (request.until && *request.until <= now)
    return fail(EINVAL, "until={} is over; a pin holds until a time to come", iso_time(*request.until));
  const Pin pin{.id = new_id(),
                .point_id = point,
                .at = now,
                .by_name = user_name(caller.uid),
                .until = request.until,
                .why = request.why,
                .by = caller};
  return change_facts(point, "point.pin", caller, request.why,
                      [&](db::Connection& db) { return Pins(db).add(pin); });
}

Result<> Objects::unpin(Id point, const Caller& caller) {
  return change_facts(point, "point.unpin", caller, "",
                      [&](db::Connection& db) { return Pins(db).remove_all(point); });
}

Result<> Objects::give_verdict(Id point, const VerdictRequest& request, const Caller& caller) {
  const Verdict verdict{.id = new_id(),
                        .point_id = point,
                        .at = services_.clock.now(),
                        .result = request.result,
                        .by_name = request.by,
                        .text = request.text,
                        .by = caller};
  const std::string said = fmt::format("{} by {}", to_word(request.result), request.by);
  return change_facts(point, "point.verdict", caller, said,
                      [&](db::Connection& db) { return Verdicts(db).add(verdict); });
}

}  // namespace holdfast
