#include <algorithm>

#include "catalog/base/text.h"
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
    if (argument.key == key) return &argument;
    keys.push_back(argument.key);
  }
  if (keys.empty()) return fail(EINVAL, "'{}' takes no arguments, but '{}' was given", verb.word, key);
  return fail(EINVAL, "'{}' has no argument '{}', only {}{}", verb.word, key, fmt::join(keys, ", "),
              did_you_mean(key, keys));
}

Result<> check_value(const Argument& argument, std::string_view value, const Reserved& reserved) {
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
      if (parse_duration(value)) return {};
      return fail(EINVAL, "{}='{}' is no span of time; write it as 90s, 15m or 4h", argument.key, value);
    case Argument::Type::new_name:
      if (reserved(value))
        return fail(EINVAL, "{}='{}' is the name of a fixed file; choose another", argument.key, value);
      [[fallthrough]];
    case Argument::Type::name:
      if (auto checked = check_name(value); !checked) return within(checked.error(), "{}", argument.key);
      return {};
  }
  return {};
}

}  // namespace

std::string Values::text(std::string_view key) const {
  const auto found = values_.find(key);
  return found == values_.end() ? "" : found->second;
}

std::vector<std::string> Values::list(std::string_view key) const {
  const std::string all = text(key);
  const auto parts = split(all, ",");
  return {parts.begin(), parts.end()};
}

Result<Command> parse(std::string_view line, std::span<const Verb> verbs, const Reserved& reserved) {
  while (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (line.find_first_of(std::string_view{"\n\r\0", 3}) != std::string_view::npos)
    return fail(EINVAL, "one write is one command on one line");
  const auto words = split(line, " \t");
  if (words.empty()) return fail(EINVAL, "an empty command; reading this file shows what may be written");

  Command command;
  HF_TRY(command.verb, find_verb(words[0], verbs));
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t equals = words[i].find('=');
    if (equals == std::string_view::npos)
      return fail(EINVAL, "'{}' is no argument; write key=value", words[i]);
    const std::string_view key = words[i].substr(0, equals), value = words[i].substr(equals + 1);
    HF_TRY(const Argument* argument, find_argument(key, *command.verb));
    if (command.values.has(key)) return fail(EINVAL, "'{}' is given twice", key);
    HF_CHECK(check_value(*argument, value, reserved));
    command.values.add(key, value);
  }
  for (const Argument& argument : command.verb->arguments)
    if (argument.needed && !command.values.has(argument.key))
      return fail(EINVAL, "'{}' wants {}={}", command.verb->word, argument.key, argument.shape);
  return command;
}

std::string listing(std::span<const Verb> verbs) {
  std::string text;
  for (const Verb& verb : verbs) {
    std::string synopsis{verb.word};
    for (const Argument& argument : verb.arguments)
      synopsis +=
          fmt::format(fmt::runtime(argument.needed ? " {}={}" : " [{}={}]"), argument.key, argument.shape);
    text += fmt::format("{}\n    {}\n", synopsis, verb.meaning);
  }
  return text;
}

}  // namespace holdfast::verbs
