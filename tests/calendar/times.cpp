// Prints the times of crons. Each line of standard input is "ZONE<tab>CRON<tab>FROM<tab>UNTIL", in seconds
// since 1970. The answer is a line of all times after FROM, up to UNTIL.
#include <fmt/core.h>

#include <chrono>
#include <iostream>
#include <sstream>
#include <string>

#include "engine/schedule/timetable.h"

int main() {
  using std::chrono::seconds;
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    holdfast::ScheduleDefinition definition;
    std::string from, until;
    std::getline(words, definition.timezone, '\t');
    std::getline(words, definition.cron, '\t');
    std::getline(words, from, '\t');
    std::getline(words, until, '\t');
    const auto table = holdfast::schedule::Timetable::of(definition);
    if (!table) return fmt::print(stderr, "{}: {}\n", line, table.error().message), 1;
    const holdfast::Time end{seconds{std::stoll(until)}};
    std::string times;
    for (auto at = table->next(holdfast::Time{seconds{std::stoll(from)}}); at && *at <= end;
         at = table->next(*at))
      times += fmt::format("{} ", std::chrono::duration_cast<seconds>(at->time_since_epoch()).count());
    fmt::print("{}\n", times);
  }
  return 0;
}
