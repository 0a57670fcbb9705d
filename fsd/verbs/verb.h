// A command: VERB [key=value …]; key="a value with blanks". Verbs are declared as tables; the parser, and
// what reading a `control` shows, are made from the same rows.
#pragma once

#include <functional>
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
    choice,    // one of the words of `shape`
    name,      // of anything
    names,     // a list with commas
    new_name,  // of what the verb makes: not a reserved one
    path,      // of the host: an absolute one
    span,      // of time: "90s", "4h"
    size,      // of bytes, and not 0: "512K"
    percent,   // "1%" to "100%"
    pattern,   // of names, as the shell has them
    moment,    // a time, or a span from now
    text,      // any
    field,     // any key that no other argument has: of a definition
  };
  std::string_view key;
  Type type;
  std::string_view shape;  // as shown: "auto|full|incremental", "A,B", "ID"
  bool needed = false;
};

// An argument of type moment: "2026-11-20T02:30", or "30d" from now.
std::optional<Time> moment(std::string_view text, Time now);

// What was given, checked against the verb's arguments.
class Values {
 public:
  void add(std::string_view key, std::string_view value) { values_.emplace(key, value); }
  bool has(std::string_view key) const { return values_.contains(key); }
  // "" when it was not given.
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

// Names that a new object may not have, because a fixed file bears them.
using Reserved = std::function<bool(std::string_view name)>;

// EINVAL says what is wrong and what would be right.
Result<ParsedCommand> parse(std::string_view line, std::span<const Verb> verbs, const Reserved& reserved);

// "run [type=auto|full|incremental] …"
std::string synopsis(const Verb& verb);

// One line a verb, with its arguments and what it does.
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
std::span<const Verb> of_root();

}  // namespace holdfast::verbs
