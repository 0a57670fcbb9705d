#include "catalog/model/limits.h"
#include "catalog/model/shapes/definition.h"

namespace holdfast::json {
namespace {

constexpr int kMostPoints = 1'000'000;
constexpr std::chrono::seconds kAtLeastOneDay = std::chrono::days{1};

Value<FullEvery> full_every() {
  const auto span = duration(kAtLeastOneSecond);
  const auto points = integer(1, kMostPoints);
  const auto period = word<CalendarPeriod>();
  const std::string must = "a span of time as \"7d\", a number of points as 30, or " +
                           one_of({Words<CalendarPeriod>::words.begin(), Words<CalendarPeriod>::words.end()});
  return {must,
          {{"anyOf", {span.schema, points.schema, period.schema}}},
          [=](const Json& found, const std::string& field) -> Result<FullEvery> {
            if (const auto read = period.read(found, field)) return FullEvery{*read};
            if (const auto read = points.read(found, field)) return FullEvery{*read};
            if (const auto read = span.read(found, field)) return FullEvery{*read};
            return wrong(found, field, must);
          },
          [=](const FullEvery& every) -> Json {
            if (const auto* after = std::get_if<std::chrono::seconds>(&every)) return span.write(*after);
            if (const auto* count = std::get_if<int>(&every)) return points.write(*count);
            return period.write(std::get<CalendarPeriod>(every));
          }};
}

Value<std::optional<std::chrono::seconds>> boot_check() {
  constexpr std::string_view kNever = "never", kEach = "each";
  const auto span = duration(kAtLeastOneSecond);
  const std::string must = "\"never\", \"each\", or a span of time as \"7d\"";
  return {must,
          {{"anyOf", {Json{{"enum", {kNever, kEach}}}, span.schema}}},
          [=](const Json& found, const std::string& field) -> Result<std::optional<std::chrono::seconds>> {
            if (found == kNever) return std::nullopt;
            if (found == kEach) return kNoTime;
            if (const auto read = span.read(found, field)) return *read;
            return wrong(found, field, must);
          },
          [=](const std::optional<std::chrono::seconds>& every) -> Json {
            if (!every) return kNever;
            return *every == kNoTime ? Json(kEach) : span.write(*every);
          }};
}

Value<BootExpect> boot_expect() {
  const std::string must{kBootExpectMust};
  return {must,
          {{"type", "string"}, {"pattern", "^(screen|agent|serial:.+)$"}},
          [=](const Json& found, const std::string& field) -> Result<BootExpect> {
            if (!found.is_string()) return wrong(found, field, must);
            auto read = parse_boot_expect(found.get<std::string>());
            if (!read) return within(read.error(), "field \"{}\"", field);
            return read;
          },
          [](const BootExpect& expect) -> Json { return print_boot_expect(expect); }};
}

Value<std::chrono::seconds> boot_timeout() {
  auto span = duration(kAtLeastOneSecond);
  const std::string must = "a span of time from \"1s\" to \"" + print_duration(kLongestBoot) + "\"";
  return {must, span.schema,
          [=](const Json& found, const std::string& field) -> Result<std::chrono::seconds> {
            const auto read = span.read(found, field);
            if (read && *read <= kLongestBoot) return *read;
            return wrong(found, field, must);
          },
          span.write};
}

}  // namespace

template <>
const Shape<PolicyDefinition>& shape() {
  using D = PolicyDefinition;
  static const auto points = optional(integer(1, kMostPoints));
  static const Shape<D> policy{
      "How long points are kept, and how runs are made.",
      {
          description<D>(),
          tags<D>(),
          field("keep_last", &D::keep_last, points, "So many of the newest points stay."),
          field("keep_hourly", &D::keep_hourly, points, "The newest of each of so many hours stays."),
          field("keep_daily", &D::keep_daily, points, "The newest of each of so many days stays."),
          field("keep_weekly", &D::keep_weekly, points, "The newest of each of so many weeks stays."),
          field("keep_monthly", &D::keep_monthly, points, "The newest of each of so many months stays."),
          field("keep_yearly", &D::keep_yearly, points, "The newest of each of so many years stays."),
          field("min_age", &D::min_age, duration(kNoTime), "Nothing younger goes."),
          field("full_every", &D::full_every, optional(full_every()),
                "How often a full point is made: after a span of time, with each so many points, or once in "
                "each period of the calendar (UTC); null: never."),
          field("verify", &D::verify, optional(word<VerifyLevel>()), "After each run."),
          field("retries", &D::retries, integer(0, 100), "How often a failed job is tried again."),
          field("sample", &D::sample, integer(0, 100),
                "Percent of what the source calls unchanged that is compared with the parent."),
          field("bandwidth", &D::bandwidth, optional(size(1, kMostBytes)), "Of each job, in bytes a second."),
          field("verify_every", &D::verify_every, optional(duration(kAtLeastOneDay)),
                "All stored bytes are read and checked once in that time, a share each hour; null: never."),
          field("verify_bandwidth", &D::verify_bandwidth, optional(size(1, kMostBytes)),
                "Of the reading by verify_every, in bytes a second; null: as bandwidth."),
          field("verify_window", &D::verify_window, texts(),
                "Times in which that reading goes on, in UTC, written as a schedule's blackout: "
                "[\"22:00-06:00\", \"sat-sun\"]; empty: always."),
          field("boot_check", &D::boot_check, boot_check(),
                "How often a new point is booted in an isolated QEMU: \"never\", after \"each\" run, or at "
                "most once "
                "in a span of time for each machine."),
          field("boot_expect", &D::boot_expect, boot_expect(),
                "What proves that it boots: a \"screen\" that stays, an answer of the \"agent\", or "
                "\"serial:TEXT\": a "
                "line on the serial console, in which * stands for any text."),
          field("boot_timeout", &D::boot_timeout, boot_timeout(), "Time in which it must boot."),
          field("boot_bus", &D::boot_bus, word<BootBus>(), "Bus of its disks in that QEMU."),
      },
      {}};
  return policy;
}

}  // namespace holdfast::json

namespace holdfast {
HF_DEFINITION(PolicyDefinition);
}
