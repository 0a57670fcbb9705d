// Doors for the words of people: times, spans, sizes, names. doors.h has all doors.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::doors {

std::string take_cron(std::string_view text, bool faulty);
std::string take_blackout(std::string_view text, bool faulty);
std::string take_time(std::string_view text, bool faulty);
std::string take_name(std::string_view text, bool faulty);

}  // namespace holdfast::doors
