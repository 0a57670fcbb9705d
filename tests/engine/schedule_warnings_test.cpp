#include "engine/status/schedule_warnings.h"

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kAsked{std::chrono::seconds{1763640000}};

Schedule nightly(std::int64_t revision, std::vector<std::string> blackout) {
  Schedule schedule;
  schedule.id = 1;
  schedule.name = "nightly";
  schedule.revision = revision;
  schedule.definition.cron = "30 2 * * *";
  schedule.definition.blackout = std::move(blackout);
  return schedule;
}

std::vector<std::string> reasons(const std::vector<Warning>& warnings) {
  std::vector<std::string> words;
  for (const Warning& warning : warnings) words.push_back(warning.reason);
  return words;
}

// The second definition has the revision of the first, so an answer of its own shows a computation.
TEST(ScheduleWarnings, are_computed_once_for_each_revision) {
  ScheduleWarnings warnings;
  EXPECT_THAT(reasons(warnings.of(nightly(7, {"04:00-05:00"}), kAsked)), ElementsAre("idle_blackout"));
  EXPECT_THAT(reasons(warnings.of(nightly(7, {}), kAsked)), ElementsAre("idle_blackout"));
  EXPECT_THAT(warnings.of(nightly(8, {}), kAsked), IsEmpty());
  EXPECT_THAT(warnings.of(nightly(8, {"04:00-05:00"}), kAsked), IsEmpty());
}

TEST(ScheduleWarnings, of_one_schedule_are_not_those_of_another) {
  ScheduleWarnings warnings;
  Schedule other = nightly(7, {"02:00-03:00"});
  other.id = 2;
  EXPECT_THAT(reasons(warnings.of(nightly(7, {"04:00-05:00"}), kAsked)), ElementsAre("idle_blackout"));
  EXPECT_THAT(warnings.of(other, kAsked), IsEmpty());
}

TEST(ScheduleWarnings, forget_after_a_thousand_schedules_and_are_computed_again) {
  ScheduleWarnings warnings;
  for (Id id = 1; id <= 1001; ++id) {
    Schedule schedule = nightly(7, {"04:00-05:00"});
    schedule.id = id;
    EXPECT_THAT(reasons(warnings.of(schedule, kAsked)), ElementsAre("idle_blackout"));
  }
  EXPECT_THAT(warnings.of(nightly(7, {}), kAsked), IsEmpty());
}

}  // namespace
}  // namespace holdfast
