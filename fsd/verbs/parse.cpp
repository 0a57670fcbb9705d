#include <algorithm>

#include "catalog/base/text.h"
#include "catalog/base/when.h"
#include "fsd/verbs/verb.h"

namespace holdfast::verbs {
namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  while ((begin = text.find_first_not_of(separators, begin)) != std::string_view::npos) {
    const std::size_t end = std::min(text.find_first_of(separators, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return parts;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
  const std::string near = nearest(word, candidates);
  return near.empty() ? "" : fmt::format("; did you mean '{}'?", near);
}

constexpr std::string_view kBlanks = " \t";

// Returns the end of the JSON list, object or text that begins there. What is inside is not checked.
Result<std::size_t> end_of_json(std::string_view line, std::size_t begin) {
  std::size_t depth = 0;
  bool in_text = false;
  for (std::size_t i = begin; i < line.size(); ++i) {
    if (line[i] == '"') in_text = !in_text;
    if (in_text && line[i] == '\\') ++i;
    if (in_text) continue;
    if (line[i] == '[' || line[i] == '{') ++depth;
    if (line[i] == ']' || line[i] == '}') --depth;
    if (depth == 0) return i + 1;
  }
  return fail(EINVAL, "a double quote or a bracket is opened and never closed");
}

// Splits a line at blanks. A value that begins with a double quote ends at the next one, and \" and \\ stand
// for themselves in it. Elsewhere a quote is an ordinary character. A value of a field that begins with [, {
// or a double quote is JSON up to its end, with its blanks.
Result<std::vector<std::string>> words_of(std::string_view line, bool are_fields) {
  std::vector<std::string> words;
  for (std::size_t i = line.find_first_not_of(kBlanks); i < line.size();
       i = line.find_first_not_of(kBlanks, i)) {
    std::string& word = words.emplace_back();
    while (i < line.size() && kBlanks.find(line[i]) == std::string_view::npos) {
      word += line[i++];
      if (are_fields && word.back() == '=' && word.find('=') + 1 == word.size() &&
          line.substr(i).find_first_of("[{\"") == 0) {
        HF_TRY(const std::size_t end, end_of_json(line, i));
        word += line.substr(i, end - i);
        i = end;
        break;
      }
      if (word.back() != '=' || word.find('=') + 1 != word.size() || i == line.size() || line[i] != '"')
        continue;
      for (++i; i < line.size() && line[i] != '"'; ++i) {
        if (line[i] == '\\' && i + 1 < line.size()) ++i;
        word += line[i];
      }
      if (i == line.size()) return fail(EINVAL, "a double quote is opened and never closed");
      ++i;
      break;  // the end of the value
    }
    if (i < line.size() && kBlanks.find(line[i]) == std::string_view::npos)
      return fail(EINVAL, "a blank is missing behind {}", word);
  }
  return words;
}

Result<const Verb*> find_verb(std::string_view word, std::span<const Verb> verbs) {
  std::vector<std::string_view> words;
  for (const Verb& verb : verbs) {
    if (verb.word == word) return &verb;
    words.push_back(verb.word);
  }
  return fail(EINVAL, "there is no verb '{}' here, only {}{}", word, fmt::join(words, ", "),
              did_you_mean(word, words));
}

Result<const Argument*> find_argument(std::string_view key, const Verb& verb) {
  std::vector<std::string_view> keys;
  for (const Argument& argument : verb.arguments) {
    if (argument.key == key || argument.type == Argument::Type::field) return &argument;
    keys.push_back(argument.key);
  }
  if (keys.empty()) return fail(EINVAL, "'{}' takes no arguments, but '{}' was given", verb.word, key);
  return fail(EINVAL, "'{}' has no argument '{}', only {}{}", verb.word, key, fmt::join(keys, ", "),
              did_you_mean(key, keys));
}

Result<> check_value(const Argument& argument, std::string_view value) {
  switch (argument.type) {
    case Argument::Type::choice: {
      const auto choices = split(argument.shape, "|");
      if (std::ranges::find(choices, value) != choices.end()) return {};
      return fail(EINVAL, "{}='{}' is not one of {}{}", argument.key, value, fmt::join(choices, ", "),
                  did_you_mean(value, choices));
    }
    case Argument::Type::names: {
      const auto names = split(value, ",");
      if (names.empty())
        return fail(EINVAL, "{}= names nothing; write {}={}", argument.key, argument.key, argument.shape);
      for (const std::string_view name : names)
        if (auto checked = check_name(name); !checked) return within(checked.error(), "{}", argument.key);
      return {};
    }
    case Argument::Type::path:
      if (value.starts_with('/')) return {};
      return fail(EINVAL, "{}='{}' is no absolute path", argument.key, value);
    case Argument::Type::span:
      if (const auto span = parse_duration(value); !span)
        return fail(EINVAL, "{}={}", argument.key, span.error().message);
      return {};
    case Argument::Type::size:
      if (parse_size(value).value_or(0) > 0) return {};
      return fail(EINVAL, "{}='{}' is no size; write it as 512K, 5M or 1G", argument.key, value);
    case Argument::Type::percent:
      if (parse_percent(value)) return {};
      return fail(EINVAL, "{}='{}' is no share; write it as 0% to 100%", argument.key, value);
    case Argument::Type::pattern:
      if (!value.empty()) return {};
      return fail(EINVAL, "{}= names nothing; write {}={}", argument.key, argument.key, argument.shape);
    case Argument::Type::moment:
      if (verbs::moment(value, system_clock().now())) return {};
      return fail(EINVAL, "{}='{}' is no time; write it as 2026-11-20, 2026-11-20T02:30 or 30d", argument.key,
                  value);
    case Argument::Type::text:
    case Argument::Type::field: return {};
    case Argument::Type::name:
      if (auto checked = check_name(value); !checked) return within(checked.error(), "{}", argument.key);
      return {};
  }
  return {};
}

}  // namespace

std::optional<Time> moment(std::string_view text, Time now) {
  if (const auto span = parse_duration(text)) return now + *span;
  const auto when = parse_when(text, now);
  return when ? std::optional{*when} : std::nullopt;
}

std::string Values::text(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? "" : found->second;
}

std::vector<std::string> Values::list(std::string_view key) const {
  const std::string all = text(key);
  const auto parts = split(all, ",");
  return {parts.begin(), parts.end()};
}

Result<ParsedCommand> parse(std::string_view line, std::span<const Verb> verbs) {
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (line.ends_with('\r'))
    return fail(EINVAL, "the line ends in CR LF, as under DOS; write it with LF alone");
  if (line.find_first_of(std::string_view{"\n\r\0", 3}) != std::string_view::npos)
    return fail(EINVAL, "one write is one command on one line");
  if (!is_utf8(line)) return fail(EINVAL, "the command is not UTF-8; write it so, or in plain ASCII");
  const auto pieces = split(line, kBlanks);
  if (pieces.empty()) return fail(EINVAL, "an empty command; reading this file shows what may be written");

  ParsedCommand command;
  HF_TRY(command.verb, find_verb(pieces[0], verbs));
  const bool takes_fields = std::ranges::any_of(command.verb->arguments, [](const Argument& argument) {
    return argument.type == Argument::Type::field;
  });
  HF_TRY(const auto words, words_of(line, takes_fields));
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return fail(EINVAL, "'{}' is no argument; write key=value", word);
    const std::string_view key = word.substr(0, equals), value = word.substr(equals + 1);
    HF_TRY(const Argument* argument, find_argument(key, *command.verb));
    if (command.values.has(key)) return fail(EINVAL, "'{}' is given twice", key);
    HF_CHECK(check_value(*argument, value));
    command.values.add(key, value);
  }
  for (const Argument& argument : command.verb->arguments)
    if (argument.needed && !command.values.has(argument.key) &&
        (argument.type != Argument::Type::field || command.values.all().empty()))
      return fail(EINVAL, "'{}' wants {}={}", command.verb->word, argument.key, argument.shape);
  return command;
}

std::string synopsis(const Verb& verb) {
  std::string text{verb.word};
  for (const Argument& argument : verb.arguments) {
    const char* format = argument.type == Argument::Type::field ? " {}={} …"
                         : argument.needed                      ? " {}={}"
                                                                : " [{}={}]";
    text += fmt::format(fmt::runtime(format), argument.key, argument.shape);
  }
  return text;
}

std::string listing(std::span<const Verb> verbs) {
  std::string text;
  for (const Verb& verb : verbs) text += fmt::format("{}\n    {}\n", synopsis(verb), verb.meaning);
  return text;
}

}  // namespace holdfast::verbs
