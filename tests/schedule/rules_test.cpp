// Tests of cron, zone, blackout, span and jitter: what is accepted, and what each refusal says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/schedule/timetable.h"

namespace holdfast::schedule {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Time utc(std::string_view text) { return *parse_iso_time(text); }

std::vector<std::string> next_times(const ScheduleDefinition& definition, std::string_view after, int count) {
  const auto table = Timetable::of(definition);
  EXPECT_TRUE(table) << table.error().message;
  std::vector<std::string> times;
  for (auto at = table->next(utc(after)); at && count > 0; at = table->next(*at), --count)
    times.push_back(iso_time(*at));
  return times;
}

std::vector<std::string> next_of(const std::string& cron, int count = 3) {
  return next_times({.cron = cron}, "2026-11-20T12:34:56Z", count);  // a Friday
}

std::string refusal(const ScheduleDefinition& definition) {
  const auto table = Timetable::of(definition);
  EXPECT_FALSE(table) << "it was accepted";
  if (table) return "";
  EXPECT_EQ(table.error().code, EINVAL);
  return table.error().message;
}

TEST(Cron, lists_ranges_steps_and_names_mean_what_they_do_in_cron) {
  EXPECT_THAT(next_of("*/20 * * * *"),
              ElementsAre("2026-11-20T12:40:00Z", "2026-11-20T13:00:00Z", "2026-11-20T13:20:00Z"));
  EXPECT_THAT(next_of("5,35 8-18/5 * * *", 4), ElementsAre("2026-11-20T13:05:00Z", "2026-11-20T13:35:00Z",
                                                           "2026-11-20T18:05:00Z", "2026-11-20T18:35:00Z"));
  EXPECT_THAT(next_of("0 2 * JAN-feb Mon"),
              ElementsAre("2027-01-04T02:00:00Z", "2027-01-11T02:00:00Z", "2027-01-18T02:00:00Z"));
  EXPECT_THAT(next_of("0 0 * * fri-sun"),
              ElementsAre("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z", "2026-11-27T00:00:00Z"));
  EXPECT_THAT(next_of("0 0 * * 7", 1), ElementsAre("2026-11-22T00:00:00Z"));
  EXPECT_THAT(next_of("0 0 * * 0", 1), ElementsAre("2026-11-22T00:00:00Z"));
  EXPECT_THAT(next_of(" 0\t0  1 * * ", 1), ElementsAre("2026-12-01T00:00:00Z"));
}

TEST(Cron, day_of_month_and_day_of_week_both_set_mean_either) {
  EXPECT_THAT(next_of("0 0 1 * fri", 3),
              ElementsAre("2026-11-27T00:00:00Z", "2026-12-01T00:00:00Z", "2026-12-04T00:00:00Z"));
}

TEST(Cron, all_days_written_out_count_as_set) {
  EXPECT_THAT(next_of("0 0 1 * sun-sat", 2), ElementsAre("2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"));
}

TEST(Cron, both_day_fields_must_match_if_one_begins_with_a_star) {
  EXPECT_THAT(next_of("0 0 */2 * fri", 2), ElementsAre("2026-11-27T00:00:00Z", "2026-12-11T00:00:00Z"));
  EXPECT_THAT(next_of("0 0 13 * */5", 2), ElementsAre("2026-12-13T00:00:00Z", "2027-06-13T00:00:00Z"));
}

TEST(Cron, nicknames_stand_for_fields) {
  EXPECT_EQ(next_of("@hourly"), next_of("0 * * * *"));
  EXPECT_EQ(next_of("@daily"), next_of("0 0 * * *"));
  EXPECT_EQ(next_of("@midnight"), next_of("0 0 * * *"));
  EXPECT_EQ(next_of("@weekly"), next_of("0 0 * * sun"));
  EXPECT_EQ(next_of("@monthly"), next_of("0 0 1 * *"));
  EXPECT_EQ(next_of("@yearly"), next_of("0 0 1 1 *"));
  EXPECT_EQ(next_of("@annually"), next_of("0 0 1 1 *"));
}

TEST(Cron, a_day_that_a_month_lacks_is_left_out) {
  EXPECT_THAT(next_times({.cron = "0 0 1,31 * *"}, "2027-01-15T00:00:00Z", 5),
              ElementsAre("2027-01-31T00:00:00Z", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z",
                          "2027-03-31T00:00:00Z", "2027-04-01T00:00:00Z"));
}

TEST(Cron, a_leap_day_comes_in_the_next_leap_year) {
  EXPECT_THAT(next_of("0 0 29 2 *", 2), ElementsAre("2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"));
  EXPECT_THAT(next_times({.cron = "0 0 29 2 */7"}, "2088-03-01T00:00:00Z", 1),
              ElementsAre("2128-02-29T00:00:00Z"));
}

TEST(Cron, a_wrong_field_is_refused_with_its_name_and_what_it_may_be) {
  const std::pair<const char*, const char*> refused[] = {
      {"60 * * * *", "minute has '60'; *, or numbers from 0 to 59"},
      {"* 24 * * *", "hour has '24'; *, or numbers from 0 to 23"},
      {"* * 0 * *", "day of month has '0'; *, or numbers from 1 to 31"},
      {"* * * 13 *", "month has '13'; *, or numbers from 1 to 12 or names from jan to dec"},
      {"* * * * 8", "day of week has '8'; *, or numbers from 0 to 7 or names from sun to sat"},
      {"* * * * mo", "day of week has 'mo'"},
      {"5/15 * * * *", "a step needs a range: 5-59/15"},
      {"*/0 * * * *", "a step is a number from 1 to 59"},
      {"*/ * * * *", "a step is a number from 1 to 59"},
      {"30-10 * * * *", "a range goes up"},
      {"1,,2 * * * *", "minute has ''"},
      {"-1 * * * *", "minute has '-1'"},
      {"99999999999 * * * *", "minute has '99999999999'"},
      {"* * * *", "it has 4 fields; cron has five"},
      {"* * * * * *", "it has 6 fields; cron has five"},
      {"@reboot", "'@reboot' is not one of @hourly, @daily"},
  };
  for (const auto& [cron, said] : refused) {
    const std::string message = refusal({.cron = cron});
    EXPECT_THAT(message, HasSubstr(fmt::format("field \"cron\" is \"{}\"", cron)));
    EXPECT_THAT(message, HasSubstr(said)) << cron;
  }
}

TEST(Cron, a_day_that_never_comes_is_refused) {
  for (const char* cron : {"0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30 feb */2"})
    EXPECT_THAT(refusal({.cron = cron}), HasSubstr("that day never comes")) << cron;
  EXPECT_TRUE(Timetable::of({.cron = "0 0 30 2 mon"}));  // day fields are alternatives: each Monday matches
}

TEST(Every, times_are_whole_spans_since_1970) {
  using namespace std::chrono_literals;
  EXPECT_THAT(next_times({.every = 15min}, "2026-11-20T12:34:56Z", 2),
              ElementsAre("2026-11-20T12:45:00Z", "2026-11-20T13:00:00Z"));
  EXPECT_THAT(next_times({.every = 1s}, "2026-11-20T12:34:56Z", 2),
              ElementsAre("2026-11-20T12:34:57Z", "2026-11-20T12:34:58Z"));
  EXPECT_THAT(next_times({.every = 24h}, "1969-12-30T12:00:00Z", 3),
              ElementsAre("1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-02T00:00:00Z"));
  EXPECT_THAT(refusal({.every = std::chrono::days{4000}}), HasSubstr("field \"every\""));
}

TEST(Zone, a_zone_is_a_name_of_tzdata_and_never_a_path) {
  for (const char* zone :
       {"UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Kathmandu"})
    EXPECT_TRUE(find_zone(zone)) << zone;
  for (const char* zone : {"Europe/Berln", "", "europe/berlin", "/usr/share/zoneinfo/UTC",
                           "../../../etc/passwd", "file:UTC", "Europe/../UTC", "localtime", "UTC/", "Europe"})
    EXPECT_FALSE(find_zone(zone)) << zone;
  EXPECT_THAT(refusal({.cron = "@daily", .timezone = "Mars/Olympus"}),
              HasSubstr("field \"timezone\" is \"Mars/Olympus\": there is no time zone 'Mars/Olympus'"));
}

// Monday 16 November 2026 to Sunday 22.
bool covers(const std::string& window, std::string_view day_and_time) {
  const auto table = Timetable::of({.cron = "* * * * *", .blackout = {window}});
  EXPECT_TRUE(table) << table.error().message;
  return table->is_blacked_out(utc(fmt::format("2026-11-{}:00Z", day_and_time)));
}

TEST(Blackout, a_window_covers_its_hours_on_its_days_but_not_their_end) {
  EXPECT_TRUE(covers("mon-fri 08:00-18:00", "20T08:00"));
  EXPECT_TRUE(covers("mon-fri 08:00-18:00", "16T17:59"));
  EXPECT_FALSE(covers("mon-fri 08:00-18:00", "20T18:00"));
  EXPECT_FALSE(covers("mon-fri 08:00-18:00", "20T07:59"));
  EXPECT_FALSE(covers("mon-fri 08:00-18:00", "21T12:00"));
  EXPECT_TRUE(covers("sat-sun", "21T00:00"));
  EXPECT_TRUE(covers("Sun,TUE", "22T23:59"));
  EXPECT_FALSE(covers("sun,tue", "21T23:59"));
  EXPECT_TRUE(covers("fri-mon", "16T12:00"));
  EXPECT_FALSE(covers("fri-mon", "17T12:00"));
}

TEST(Blackout, a_window_over_midnight_belongs_to_the_day_on_which_it_begins) {
  EXPECT_TRUE(covers("22:00-06:00", "18T23:00"));
  EXPECT_TRUE(covers("22:00-06:00", "18T05:59"));
  EXPECT_FALSE(covers("22:00-06:00", "18T06:00"));
  EXPECT_TRUE(covers("fri 22:00-06:00", "21T03:00"));
  EXPECT_FALSE(covers("fri 22:00-06:00", "20T03:00"));
  EXPECT_TRUE(covers("20:00-24:00", "20T23:59"));
  EXPECT_FALSE(covers("20:00-24:00", "20T00:00"));
}

TEST(Blackout, a_window_follows_the_clock_of_its_zone) {
  const auto table =
      Timetable::of({.cron = "* * * * *", .timezone = "Asia/Tokyo", .blackout = {"08:00-09:00"}});
  EXPECT_TRUE(table->is_blacked_out(utc("2026-11-19T23:30:00Z")));
  EXPECT_FALSE(table->is_blacked_out(utc("2026-11-20T08:30:00Z")));
}

std::vector<std::size_t> idle_of(const ScheduleDefinition& definition) {
  const auto table = Timetable::of(definition);
  EXPECT_TRUE(table) << table.error().message;
  return table->idle_blackouts(utc("2026-11-20T12:34:56Z"));
}

TEST(Blackout, a_window_is_idle_where_no_day_or_minute_of_the_cron_falls_into_it) {
  EXPECT_THAT(idle_of({.cron = "30 2 * * mon-fri", .blackout = {"sat-sun", "02:00-02:31", "02:31-03:00"}}),
              ElementsAre(0, 2));
  EXPECT_THAT(idle_of({.cron = "30 2 * * sat", .blackout = {"fri 22:00-02:30", "fri 22:00-02:31"}}),
              ElementsAre(0));
  EXPECT_THAT(idle_of({.cron = "0 0 29 2 *", .blackout = {"mon", "sun", "mon 00:01-24:00"}}), ElementsAre(2));
  EXPECT_THAT(idle_of({.cron = "0 0 1 * mon", .blackout = {"sun"}}), ElementsAre()) << "either day";
  EXPECT_THAT(idle_of({.cron = "* * * * *", .blackout = {"23:59-24:00"}}), ElementsAre());
}

TEST(Blackout, jitter_brings_starts_into_a_window) {
  EXPECT_THAT(
      idle_of({.cron = "30 2 * * *", .jitter = std::chrono::minutes{29}, .blackout = {"03:00-04:00"}}),
      ElementsAre(0));
  EXPECT_THAT(
      idle_of({.cron = "30 2 * * *", .jitter = std::chrono::minutes{30}, .blackout = {"03:00-04:00"}}),
      ElementsAre());
  EXPECT_THAT(idle_of({.cron = "50 23 * * sun", .jitter = std::chrono::hours{1}, .blackout = {"mon"}}),
              ElementsAre());
}

TEST(Blackout, a_span_falls_into_windows_by_the_clock_of_the_zone_in_summer_and_winter) {
  const std::chrono::hours day{24};
  EXPECT_THAT(idle_of({.every = day, .blackout = {"00:00-00:01", "00:01-24:00"}}), ElementsAre(1));
  EXPECT_THAT(idle_of({.every = day,
                       .timezone = "Europe/Berlin",
                       .blackout = {"00:00-01:00", "01:00-01:01", "02:00-02:01", "02:01-24:00"}}),
              ElementsAre(0, 3));
  EXPECT_THAT(idle_of({.every = 7 * day, .blackout = {"thu", "fri"}}), ElementsAre(1)) << "1970 began then";
  EXPECT_THAT(idle_of({.every = std::chrono::seconds{7}, .blackout = {"sun 13:13-13:14"}}), ElementsAre());
}

TEST(Blackout, a_wrong_window_is_refused_with_its_position_in_the_list) {
  for (const char* window :
       {"", "always", "22:00", "22:00-", "22-06", "24:00-06:00", "08:00-08:00", "08:60-09:00",
        "mon-fri  08:00-18:00", "mon 08:00-18:00 ", "mon,", "25:00-26:00", "8:00-9:00"})
    EXPECT_THAT(refusal({.cron = "@daily", .blackout = {"sat", window}}),
                HasSubstr(fmt::format("field \"blackout[1]\" is \"{}\"", window)));
}

TEST(Timetable, the_next_open_time_is_in_no_blackout) {
  const auto table = Timetable::of({.cron = "0 * * * *", .blackout = {"22:00-06:00"}});
  EXPECT_EQ(iso_time(*table->next_open(utc("2026-11-20T21:00:00Z"))), "2026-11-21T06:00:00Z");
  const auto often = Timetable::of({.every = std::chrono::seconds{1}, .blackout = {"sat-sun"}});
  EXPECT_EQ(iso_time(*often->next_open(utc("2026-11-20T23:59:59Z"))), "2026-11-23T00:00:00Z");
  const auto yearly = Timetable::of({.cron = "@yearly", .blackout = {"fri"}});  // as 1 January 2027 is
  EXPECT_EQ(iso_time(*yearly->next_open(utc("2026-11-20T21:00:00Z"))), "2028-01-01T00:00:00Z");
  const auto never = Timetable::of({.cron = "* * * * *", .blackout = {"mon-sun"}});
  EXPECT_FALSE(never->next_open(utc("2026-11-20T21:00:00Z")));
}

TEST(Timetable, the_newest_times_of_a_span_agree_with_a_full_walk) {
  for (const char* cron : {"* * * * *", "7 3 * * *", "0 0 1 1 *", "30 2 29 2 *"}) {
    const auto table = Timetable::of({.cron = cron});
    const Time from = utc("2024-01-15T10:00:00Z"), until = utc("2024-12-20T03:07:00Z");
    std::vector<Time> all;
    for (auto at = table->next(from); at && *at <= until; at = table->next(*at)) all.push_back(*at);
    const auto newest = table->between(from, until, 20);
    ASSERT_EQ(newest.size(), std::min<std::size_t>(all.size(), 20)) << cron;
    EXPECT_TRUE(std::equal(newest.rbegin(), newest.rend(), all.rbegin())) << cron;
  }
}

TEST(Jitter, jitter_stays_in_its_span_and_is_fixed_for_each_flow) {
  using namespace std::chrono_literals;
  const auto table = Timetable::of({.cron = "@hourly", .jitter = 600s});
  const Time at = utc("2026-11-20T12:00:00Z");
  std::set<Time> moments;
  for (Id flow = 1; flow <= 100; ++flow) {
    const Time moment = table->start(at, 7, flow);
    EXPECT_GE(moment, at);
    EXPECT_LE(moment, at + 600s);
    EXPECT_EQ(moment, Timetable::of({.cron = "@hourly", .jitter = 600s})->start(at, 7, flow));
    moments.insert(moment);
  }
  EXPECT_GT(moments.size(), 90U);
  EXPECT_GT(*moments.rbegin() - *moments.begin(), 300s);
  EXPECT_THAT(refusal({.cron = "@hourly", .jitter = 25h}), HasSubstr("field \"jitter\""));
}

TEST(Jitter, the_next_start_may_be_of_a_time_that_has_passed) {
  using namespace std::chrono_literals;
  const auto table = Timetable::of({.cron = "@hourly", .jitter = 3000s});
  const Time at = utc("2026-11-20T12:00:00Z"), moment = table->start(at, 7, 1);
  ASSERT_GT(moment, at + 1s);
  EXPECT_EQ(table->next_start(moment - 1ms, 7, 1), moment);
  EXPECT_GT(*table->next_start(moment, 7, 1), utc("2026-11-20T13:00:00Z") - 1ms);
}

}  // namespace
}  // namespace holdfast::schedule
