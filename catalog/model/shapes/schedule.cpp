#include "catalog/model/shapes/definition.h"

namespace holdfast::json {

template <>
const Shape<ScheduleDefinition>& shape() {
  using D = ScheduleDefinition;
  static const Rule<D> one_rule{
      {{"oneOf",
        {{{"required", {"cron"}},
          {"properties", {{"cron", {{"minLength", 1}}}, {"every", {{"type", "null"}}}}}},
         {{"required", {"every"}},
          {"properties", {{"every", {{"type", "string"}}}, {"cron", {{"const", ""}}}}}}}}},
      [](const D& definition) -> Result<> {
        if (definition.cron.empty() != definition.every.has_value())
          return fail(EINVAL, "a schedule has either \"cron\" or \"every\"; this one has {}",
                      definition.every ? "both" : "neither");
        return {};
      }};
  static const Shape<D> schedule{
      "When flows start.",
      {
          description<D>(),
          tags<D>(),
          field("cron", &D::cron, text(),
                "Minute, hour, day of month, month, day of week, as cron has them; or @hourly, @daily, "
                "@weekly, "
                "@monthly, @yearly. Where day of month and day of week are both given, either is enough."),
          field("every", &D::every, optional(duration(kAtLeastOneSecond)),
                "A span of time, instead of cron: its times are whole spans since 1970 began, in UTC."),
          field("timezone", &D::timezone, text_not_empty(),
                "The zone of cron and blackout, as tzdata calls it: Europe/Berlin."),
          field("jitter", &D::jitter, duration(kNoTime),
                "Each start is up to so much later: spread, and the same each time it is worked out."),
          field("missed", &D::missed, word<MissedAction>(),
                "What becomes of times at which nobody was there: run_once makes up for the last of them."),
          field("blackout", &D::blackout, texts(),
                "Windows in which nothing starts: 22:00-06:00, sat-sun, mon-fri 08:00-18:00."),
          field("enabled", &D::enabled, boolean(), "Whether it starts anything."),
      },
      {one_rule}};
  return schedule;
}

}  // namespace holdfast::json

namespace holdfast {
HF_DEFINITION(ScheduleDefinition);
}
