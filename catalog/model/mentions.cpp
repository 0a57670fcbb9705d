#include "catalog/model/mentions.h"

#include <algorithm>
#include <array>
#include <vector>

namespace holdfast {
namespace {

struct Way {
  std::string_view word;    // in "machine 'm'"
  std::string_view folder;  // in "machines/m"
};
constexpr std::array kWays{
    Way{"machine", "machines"}, Way{"repository", "repositories"}, Way{"flow", "flows"},
    Way{"group", "groups"},     Way{"schedule", "schedules"},      Way{"policy", "policies"},
    Way{"job", "jobs"}};

// A name in a text.
struct Mention {
  std::string_view folder;
  std::string_view name;
  std::size_t begin = 0;  // where the name begins
  std::size_t end = 0;    // where the path below the name ends
};

bool is_of_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

std::string_view leading_name(std::string_view text) {
  const auto end = std::ranges::find_if_not(text, is_of_a_name);
  return text.substr(0, static_cast<std::size_t>(end - text.begin()));
}

std::optional<Mention> path_at(std::string_view text, std::size_t at) {
  for (const Way& way : kWays) {
    if (!text.substr(at).starts_with(way.folder)) continue;
    const std::size_t slash = at + way.folder.size();
    if (slash == text.size() || text[slash] != '/') continue;
    const std::string_view name = leading_name(text.substr(slash + 1));
    if (name.empty()) return std::nullopt;
    std::size_t end = slash + 1 + name.size();
    while (end < text.size() && text[end] == '/') end += 1 + leading_name(text.substr(end + 1)).size();
    return Mention{way.folder, name, slash + 1, end};
  }
  return std::nullopt;
}

std::optional<Mention> quoted_at(std::string_view text, std::size_t at, std::string_view folder) {
  if (!text.substr(at).starts_with('\'')) return std::nullopt;
  const std::string_view name = leading_name(text.substr(at + 1));
  const std::size_t end = at + 1 + name.size();
  if (name.empty() || !text.substr(end).starts_with('\'')) return std::nullopt;
  return Mention{folder, name, at + 1, end};
}

// Returns the names of a list: "flow 'a', 'b' and 'c'".
std::vector<Mention> list_at(std::string_view text, std::size_t at) {
  constexpr std::array<std::string_view, 3> kBetween{", ", " and ", " after "};
  std::vector<Mention> found;
  for (const Way& way : kWays) {
    const std::size_t blank = at + way.word.size();
    if (!text.substr(at).starts_with(way.word) || !text.substr(blank).starts_with(' ')) continue;
    for (std::size_t next = blank + 1;;) {
      const auto name = quoted_at(text, next, way.folder);
      if (!name) return found;
      found.push_back(*name);
      const std::string_view rest = text.substr(name->end + 1);
      const auto between =
          std::ranges::find_if(kBetween, [&](std::string_view word) { return rest.starts_with(word); });
      if (between == kBetween.end()) return found;
      next = name->end + 1 + between->size();
    }
  }
  return found;
}

bool may_begin_one(char c) {
  return std::ranges::any_of(kWays, [c](const Way& way) { return way.word.front() == c; });
}

// Decides for the name, or else for the name without stops at its end, which may be the sentence's.
bool is_hidden(const Mention& mention, Sentence age, const MayKnow& may_know) {
  std::string path = std::string{mention.folder} + '/' + std::string{mention.name};
  for (;;) {
    if (const auto known = may_know(path)) return !*known;
    if (!path.ends_with('.')) return age == Sentence::is_old;
    path.pop_back();
  }
}

}  // namespace

bool has_name(std::string_view text, std::string_view name) {
  const auto goes_on = [&](std::size_t at) { return at < text.size() && is_of_a_name(text[at]); };
  for (std::size_t at = text.find(name); at != text.npos; at = text.find(name, at + 1))
    if ((at == 0 || !goes_on(at - 1)) && !goes_on(at + name.size())) return true;
  return false;
}

std::string without_names(std::string_view text, Sentence age, const MayKnow& may_know) {
  std::string told;
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!may_begin_one(text[at]) || (at > 0 && is_of_a_name(text[at - 1]))) continue;
    auto mentions = list_at(text, at);
    if (const auto path = path_at(text, at)) mentions.push_back(*path);
    for (const Mention& mention : mentions) {
      at = mention.end - 1;
      if (!is_hidden(mention, age, may_know)) continue;
      told.append(text.substr(copied, mention.begin - copied)).append("…");
      copied = mention.end;
    }
  }
  return told.append(text.substr(copied));
}

}  // namespace holdfast
