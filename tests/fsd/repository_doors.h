// Doors for documents of a repository, which whoever may write there writes; doors.h has all doors.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::doors {

std::string take_manifest(std::string_view text, bool faulty);
std::string take_facts(std::string_view text, bool faulty);
std::string take_stored_definition(std::string_view text, bool faulty);
std::string take_sequence(std::string_view text, bool faulty);
std::string take_asides(std::string_view text, bool faulty);
std::string take_marker(std::string_view text, bool faulty);

}  // namespace holdfast::doors
