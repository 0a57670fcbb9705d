#include "engine/schedule/outcome.h"

#include "catalog/stores/flows.h"
#include "catalog/stores/occurrences.h"
#include "engine/common/audit.h"

namespace holdfast::schedule {
namespace {

// `why` is a sentence, for reasons that the word alone does not explain.
Result<> tell(db::Connection& db, const Clock& clock, std::string_view word, Id flow, OccurrenceReason reason,
              const std::string& why) {
  HF_TRY(const std::string name, Flows(db).name_of(flow));
  Event event = make_event(clock.now(), word, "flows/" + name, {});
  event.reason = why.empty() ? std::string{to_word(reason)} : fmt::format("{}: {}", to_word(reason), why);
  if (reason == OccurrenceReason::refused) event.result = EventResult::refused;
  return record(db, event);
}

std::string_view word_of(OccurrenceStatus status) {
  return status == OccurrenceStatus::missed ? "flow.miss" : "flow.skip";
}

}  // namespace

Result<> record_new(db::Connection& db, const Clock& clock, const Occurrence& occurrence) {
  HF_TRY(const bool is_new, Occurrences(db).add_if_new(occurrence));
  if (!is_new) return {};
  return tell(db, clock, word_of(occurrence.status), occurrence.flow_id, *occurrence.reason, "");
}

Result<> record_settled(db::Connection& db, const Clock& clock, const Occurrence& occurrence,
                        const std::string& why) {
  HF_CHECK(Occurrences(db).settle(occurrence));
  if (!occurrence.reason) return {};
  return tell(db, clock, word_of(occurrence.status), occurrence.flow_id, *occurrence.reason, why);
}

Result<> record_chained(db::Connection& db, const Clock& clock, Id flow, OccurrenceReason reason,
                        const std::string& why) {
  return tell(db, clock, "flow.skip", flow, reason, why);
}

}  // namespace holdfast::schedule
