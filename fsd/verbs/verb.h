// Commands: VERB [key=value …]; key="a value with blanks". Verbs are declared in tables. The parser and the
// listing that a `control` file shows read the same rows.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.h"

namespace holdfast::verbs {

struct Argument {
  enum class Type {
    choice,   // a word of `shape`
    name,     // an object's name
    names,    // a list of names with commas
    path,     // an absolute path of the host
    span,     // a span of time: "90s", "4h"
    size,     // a number of bytes above 0: "512K"
    percent,  // "1%" to "100%"
    pattern,  // a shell pattern of names
    moment,   // a time, or a span of time from now
    text,     // any text
    field,    // a field of a definition: any key that no other argument has
  };
  std::string_view key;
  Type type;
  std::string_view shape;  // the value as listings show it: "auto|full|incremental", "A,B", "ID"
  bool needed = false;
};

// Parses an argument of type moment: "2026-11-20T02:30", or "30d" from now.
std::optional<Time> moment(std::string_view text, Time now);

// The given arguments, checked against those of the verb.
class Values {
 public:
  void add(std::string_view key, std::string_view value) { values_.emplace(key, value); }
  bool has(std::string_view key) const { return values_.contains(key); }
  // Returns "" if the argument was not given.
  std::string text(std::string_view key) const;
  std::vector<std::string> list(std::string_view key) const;
  const std::map<std::string, std::string, std::less<>>& all() const { return values_; }

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

struct Verb {
  std::string_view word;
  std::span<const Argument> arguments;
  std::string_view meaning;
  Result<> (*apply)(Engine& engine, Id object, const Values& values, const Caller& caller);
};

struct ParsedCommand {
  const Verb* verb = nullptr;
  Values values;
};

// Parses and checks a line. EINVAL says what is wrong and what would be right.
Result<ParsedCommand> parse(std::string_view line, std::span<const Verb> verbs);

// The verb with its arguments: "run [type=auto|full|incremental] …"
std::string synopsis(const Verb& verb);

// The synopsis and the meaning of each verb.
std::string listing(std::span<const Verb> verbs);

// The verbs of each kind of object.
std::span<const Verb> of_root();
std::span<const Verb> of_flow();
std::span<const Verb> of_execution();
std::span<const Verb> of_job();
std::span<const Verb> of_repository();
std::span<const Verb> of_machine();
std::span<const Verb> of_point();
std::span<const Verb> of_group();
std::span<const Verb> of_schedule();

}  // namespace holdfast::verbs
