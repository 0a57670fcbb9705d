// Texts of others, made such as a person reads them: short, and on one line.
#pragma once

#include <string>
#include <string_view>

namespace holdfast {

// The longest text of an event, and of an `error` file.
constexpr std::size_t kLongestMessage = 1024;
// The longest part of a sentence that quotes a peer.
constexpr std::size_t kLongestQuote = 200;

// Returns at most so many bytes of a text; a longer one ends in "…", and is cut between two characters.
inline std::string cut(std::string_view text, std::size_t most) {
  constexpr char kMore[] = "…";
  if (text.size() <= most) return std::string{text};
  std::size_t end = most - (sizeof kMore - 1);
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string{text.substr(0, end)} + kMore;
}

// Returns the text with a blank in place of each control character, so that no terminal obeys it.
inline std::string on_one_line(std::string_view text) {
  constexpr unsigned char kDelete = 0x7f, kLeadOfC1 = 0xc2, kLastOfC1 = 0x9f;  // C1 is U+0080 to U+009F
  std::string line;
  line.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 =
        byte == kLeadOfC1 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) <= kLastOfC1;
    line += byte < ' ' || byte == kDelete || is_c1 ? ' ' : text[i];
    if (is_c1) ++i;
  }
  return line;
}

}  // namespace holdfast
