// Times around clock changes: a table made by hand, from the rules of the zones and of cron. Each case lists
// all times between two instants in UTC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/schedule/timetable.h"

namespace holdfast::schedule {
namespace {

struct Case {
  const char* about;
  const char* zone;
  const char* cron;
  const char* after;
  const char* until;
  std::vector<std::string> times;  // UTC
};

std::vector<std::string> times_of(const Case& one) {
  const auto table = Timetable::of({.cron = one.cron, .timezone = one.zone});
  EXPECT_TRUE(table) << table.error().message;
  std::vector<std::string> times;
  const Time until = *parse_iso_time(fmt::format("{}:00Z", one.until));
  for (auto at = table->next(*parse_iso_time(fmt::format("{}:00Z", one.after))); at && *at <= until;
       at = table->next(*at))
    times.push_back(iso_time(*at).substr(0, 16));
  return times;
}

const Case kCases[] = {
    // Berlin, 29 March 2026: at 01:00 UTC 02:00 becomes 03:00.
    {"an hour that does not exist",
     "Europe/Berlin",
     "30 2 * * *",
     "2026-03-28T00:00",
     "2026-03-30T12:00",
     {"2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"}},
    {"the first minute of the gap",
     "Europe/Berlin",
     "0 2 * * *",
     "2026-03-29T00:00",
     "2026-03-30T12:00",
     {"2026-03-29T01:00", "2026-03-30T00:00"}},
    {"the first minute after the gap",
     "Europe/Berlin",
     "0 3 * * *",
     "2026-03-29T00:00",
     "2026-03-29T12:00",
     {"2026-03-29T01:00"}},
    {"several minutes of the gap run once",
     "Europe/Berlin",
     "*/15 2 * * *",
     "2026-03-29T00:00",
     "2026-03-29T12:00",
     {"2026-03-29T01:00"}},
    {"gap and the minute after it run once",
     "Europe/Berlin",
     "0 2,3 * * *",
     "2026-03-29T00:00",
     "2026-03-29T12:00",
     {"2026-03-29T01:00"}},
    {"before and after the gap",
     "Europe/Berlin",
     "59 1,3 * * *",
     "2026-03-29T00:00",
     "2026-03-29T12:00",
     {"2026-03-29T00:59", "2026-03-29T01:59"}},
    {"each hour that exists",
     "Europe/Berlin",
     "30 * * * *",
     "2026-03-29T00:00",
     "2026-03-29T03:00",
     {"2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"}},
    {"a step does not make up for the gap",
     "Europe/Berlin",
     "30 */2 * * *",
     "2026-03-28T22:00",
     "2026-03-29T05:00",
     {"2026-03-28T23:30", "2026-03-29T02:30", "2026-03-29T04:30"}},
    {"a range with a step neither",
     "Europe/Berlin",
     "30 2-6/2 * * *",
     "2026-03-28T22:00",
     "2026-03-29T12:00",
     {"2026-03-29T02:30", "2026-03-29T04:30"}},
    {"a range of fixed hours does",
     "Europe/Berlin",
     "30 2-4 * * *",
     "2026-03-28T22:00",
     "2026-03-29T12:00",
     {"2026-03-29T01:00", "2026-03-29T01:30", "2026-03-29T02:30"}},
    {"only on the day of the gap",
     "Europe/Berlin",
     "15 2 29 3 *",
     "2026-03-01T00:00",
     "2026-04-30T00:00",
     {"2026-03-29T01:00"}},

    // Berlin, 25 October 2026: at 01:00 UTC 03:00 becomes 02:00 again.
    {"an hour that exists twice",
     "Europe/Berlin",
     "30 2 * * *",
     "2026-10-24T00:00",
     "2026-10-26T12:00",
     {"2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"}},
    {"asked between the two",
     "Europe/Berlin",
     "30 2 * * *",
     "2026-10-25T00:45",
     "2026-10-26T12:00",
     {"2026-10-26T01:30"}},
    {"asked in the second",
     "Europe/Berlin",
     "30 2 * * *",
     "2026-10-25T01:15",
     "2026-10-26T12:00",
     {"2026-10-26T01:30"}},
    {"the minutes of the first",
     "Europe/Berlin",
     "*/20 2 * * *",
     "2026-10-24T23:00",
     "2026-10-25T12:00",
     {"2026-10-25T00:00", "2026-10-25T00:20", "2026-10-25T00:40"}},
    {"the hour after both",
     "Europe/Berlin",
     "0 3 * * *",
     "2026-10-24T23:00",
     "2026-10-25T12:00",
     {"2026-10-25T02:00"}},
    {"each real hour",
     "Europe/Berlin",
     "30 * * * *",
     "2026-10-24T23:00",
     "2026-10-25T03:00",
     {"2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"}},
    {"a step counts both",
     "Europe/Berlin",
     "30 */2 * * *",
     "2026-10-24T21:00",
     "2026-10-25T04:00",
     {"2026-10-24T22:30", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T03:30"}},
    {"asked in the second, by the clock",
     "Europe/Berlin",
     "30 * * * *",
     "2026-10-25T00:45",
     "2026-10-25T01:45",
     {"2026-10-25T01:30"}},

    // New York, 8 March and 1 November 2026: 07:00 UTC and 06:00 UTC.
    {"New York's gap",
     "America/New_York",
     "30 2 * * *",
     "2026-03-07T12:00",
     "2026-03-09T12:00",
     {"2026-03-08T07:00", "2026-03-09T06:30"}},
    {"New York's repeat",
     "America/New_York",
     "30 1 * * *",
     "2026-10-31T12:00",
     "2026-11-02T12:00",
     {"2026-11-01T05:30", "2026-11-02T06:30"}},

    // Lord Howe moves by half an hour. 4 October 2026: at 15:30 UTC of the 3rd, 02:00 becomes 02:30. 5 April
    // 2026: at 15:00 UTC of the 4th, 02:00 becomes 01:30.
    {"half a gap",
     "Australia/Lord_Howe",
     "15 2 * * *",
     "2026-10-02T16:00",
     "2026-10-04T16:00",
     {"2026-10-03T15:30", "2026-10-04T15:15"}},
    {"beside half a gap",
     "Australia/Lord_Howe",
     "45 2 * * *",
     "2026-10-02T16:30",
     "2026-10-04T16:00",
     {"2026-10-03T15:45", "2026-10-04T15:45"}},
    {"both sides of half a gap",
     "Australia/Lord_Howe",
     "15,45 2 * * *",
     "2026-10-03T12:00",
     "2026-10-03T18:00",
     {"2026-10-03T15:30", "2026-10-03T15:45"}},
    {"by the clock through half a gap",
     "Australia/Lord_Howe",
     "*/15 * * * *",
     "2026-10-03T15:00",
     "2026-10-03T16:00",
     {"2026-10-03T15:15", "2026-10-03T15:30", "2026-10-03T15:45", "2026-10-03T16:00"}},
    {"half a repeat",
     "Australia/Lord_Howe",
     "45 1 * * *",
     "2026-04-03T16:00",
     "2026-04-05T18:00",
     {"2026-04-04T14:45", "2026-04-05T15:15"}},
    {"beside half a repeat",
     "Australia/Lord_Howe",
     "15 1 * * *",
     "2026-04-03T16:00",
     "2026-04-05T12:00",
     {"2026-04-04T14:15"}},
    {"by the clock through half a repeat",
     "Australia/Lord_Howe",
     "45 * * * *",
     "2026-04-04T14:00",
     "2026-04-04T16:30",
     {"2026-04-04T14:45", "2026-04-04T15:15", "2026-04-04T16:15"}},

    // The southern half. Sydney, 5 April 2026: at 16:00 UTC of the 4th, 03:00 becomes 02:00; 4 October 2026:
    // at 16:00 UTC of the 3rd, 02:00 becomes 03:00. Santiago, 6 September 2026: at 04:00 UTC, midnight
    // becomes 01:00.
    {"Sydney's repeat",
     "Australia/Sydney",
     "30 2 * * *",
     "2026-04-04T00:00",
     "2026-04-06T00:00",
     {"2026-04-04T15:30", "2026-04-05T16:30"}},
    {"Sydney's gap",
     "Australia/Sydney",
     "30 2 * * *",
     "2026-10-03T00:00",
     "2026-10-05T00:00",
     {"2026-10-03T16:00", "2026-10-04T15:30"}},
    {"a midnight that does not exist",
     "America/Santiago",
     "0 0 * * *",
     "2026-09-05T12:00",
     "2026-09-07T12:00",
     {"2026-09-06T04:00", "2026-09-07T03:00"}},
    {"a Sunday whose midnight does not exist",
     "America/Santiago",
     "@weekly",
     "2026-09-05T12:00",
     "2026-09-07T12:00",
     {"2026-09-06T04:00"}},

    // Zones whose offset is no whole hour, and one that never changes.
    {"three quarters",
     "Asia/Kathmandu",
     "0 6 * * *",
     "2026-03-28T00:00",
     "2026-03-30T00:00",
     {"2026-03-28T00:15", "2026-03-29T00:15"}},
    {"half an hour, by the clock",
     "Asia/Kolkata",
     "0 * * * *",
     "2026-03-28T00:00",
     "2026-03-28T02:00",
     {"2026-03-28T00:30", "2026-03-28T01:30"}},
    {"Chatham's gap at three quarters",
     "Pacific/Chatham",
     "0 3 * * *",
     "2026-09-25T00:00",
     "2026-09-27T00:00",
     {"2026-09-25T14:15", "2026-09-26T14:00"}},
    {"no change at all",
     "UTC",
     "30 2 * * *",
     "2026-03-28T12:00",
     "2026-03-30T12:00",
     {"2026-03-29T02:30", "2026-03-30T02:30"}},

    // Samoa skipped 30 December 2011.
    {"a day that does not exist",
     "Pacific/Apia",
     "0 12 30 12 *",
     "2011-12-01T00:00",
     "2012-01-31T00:00",
     {"2011-12-30T10:00"}},
};

TEST(ClockChanges, all_times_around_clock_changes_agree_with_the_table) {
  for (const Case& one : kCases)
    EXPECT_EQ(times_of(one), one.times) << one.about << ": " << one.cron << " in " << one.zone;
}

// The comparison notices a time that is an hour off, one too many, and one too few.
TEST(ClockChanges, a_wrong_table_is_noticed) {
  Case wrong = kCases[0];
  wrong.times[1] = "2026-03-29T00:30";
  EXPECT_NE(times_of(wrong), wrong.times);
  wrong = kCases[0];
  wrong.zone = "UTC";
  EXPECT_NE(times_of(wrong), wrong.times);
  wrong = kCases[0];
  wrong.times.pop_back();
  EXPECT_NE(times_of(wrong), wrong.times);
}

}  // namespace
}  // namespace holdfast::schedule
