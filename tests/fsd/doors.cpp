#include "tests/fsd/doors.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catalog/model/definition_json.h"
#include "catalog/model/mentions.h"
#include "catalog/model/outside_json.h"
#include "engine/sources/machine_json.h"
#include "fsd/verbs/verb.h"
#include "tests/fsd/repository_doors.h"
#include "tests/fsd/word_doors.h"

namespace holdfast::doors {
namespace {

using verbs::Argument;

// One argument of each type.
constexpr Argument kOfEachType[] = {
    {"choice", Argument::Type::choice, "auto|full|incremental"},
    {"name", Argument::Type::name, "NAME"},
    {"names", Argument::Type::names, "A,B"},
    {"path", Argument::Type::path, "PATH"},
    {"span", Argument::Type::span, "SPAN"},
    {"size", Argument::Type::size, "SIZE"},
    {"percent", Argument::Type::percent, "SHARE"},
    {"pattern", Argument::Type::pattern, "GLOB"},
    {"moment", Argument::Type::moment, "TIME"},
    {"text", Argument::Type::text, "TEXT"},
};
constexpr Argument kFields[] = {{"FIELD", Argument::Type::field, "VALUE", true}};
constexpr verbs::Verb kVerbs[] = {{"run", kOfEachType, "", nullptr}, {"set", kFields, "", nullptr}};

std::string take_command(std::string_view line, bool faulty) {
  const auto parsed = verbs::parse(line, kVerbs);
  if (!parsed) return parsed.error().message.empty() ? "a refusal without a sentence" : "";
  if (faulty && parsed->values.has("moment")) return "the fault";
  for (const auto& [key, value] : parsed->values.all())
    if (line.find(key) == line.npos) return fmt::format("argument '{}' is not in the line", key);
  return "";
}

template <class Definition>
std::string take_definition(std::string_view text, bool faulty) {
  const auto parsed = parse_definition<Definition>(text);
  if (!parsed) return parsed.error().message.empty() ? "a refusal without a sentence" : "";
  const std::string printed = print_definition(*parsed);
  const auto again = parse_definition<Definition>(printed);
  if (!again) return "what was printed is refused: " + again.error().message;
  Definition compared = *again;
  if constexpr (requires { compared.description; })
    if (faulty) compared.description += '.';
  if (compared != *parsed) return "what was printed is read as another definition: " + printed;
  if (print_definition(*again) != printed) return "a definition is printed in two ways: " + printed;
  if (!stored_definition<Definition>(stored_text(*parsed))) return "what is stored is refused";
  return "";
}

std::string take_config(std::string_view text, bool faulty) {
  constexpr decltype(&take_config) kKinds[] = {
      take_definition<MachineDefinition>,  take_definition<RepositoryDefinition>,
      take_definition<FlowDefinition>,     take_definition<GroupDefinition>,
      take_definition<ScheduleDefinition>, take_definition<PolicyDefinition>,
      take_definition<SettingsDefinition>};
  for (const auto kind : kKinds)
    if (std::string wrong = kind(text, faulty); !wrong.empty()) return wrong;
  return "";
}

int depth_of(const nlohmann::json& value) {
  int deepest = 0;
  if (value.is_structured())
    for (const auto& child : value) deepest = std::max(deepest, depth_of(child));
  return value.is_structured() ? deepest + 1 : 0;
}

std::string take_outside(std::string_view text, bool faulty) {
  const auto parsed = json::parse_outside(text);
  if (!parsed) return parsed.error().message.empty() ? "a refusal without a sentence" : "";
  const int deepest = faulty ? 4 : 64;
  if (depth_of(*parsed) > deepest) return "it is too deep";
  const nlohmann::json copy = *parsed;  // readers copy it, ask for members and print it
  if (copy.is_object() && copy.value("id", nlohmann::json()) != copy.value("id", nlohmann::json(nullptr)))
    return "a member has two values";
  const auto again = json::parse_outside(copy.dump());
  return again && *again == *parsed ? "" : "it is printed as something else";
}

std::string take_sentence(std::string_view text, bool faulty) {
  const auto nothing = [&](const std::string& path) -> std::optional<bool> {
    return faulty && path == "machines/m";
  };
  const std::string told = without_names(text, Sentence::is_old, nothing);
  const std::string again = without_names(told, Sentence::is_old, [](const std::string&) { return false; });
  return told == again ? "" : "a name was told: " + told;
}

}  // namespace

std::span<const Door> doors() {
  static constexpr Door all[] = {{"command", take_command},
                                 {"config", take_config},
                                 {"outside", take_outside},
                                 {"sentence", take_sentence},
                                 {"manifest", take_manifest},
                                 {"facts", take_facts},
                                 {"definition", take_stored_definition},
                                 {"sequence", take_sequence},
                                 {"asides", take_asides},
                                 {"marker", take_marker},
                                 {"cron", take_cron},
                                 {"blackout", take_blackout},
                                 {"time", take_time},
                                 {"name", take_name}};
  return all;
}

}  // namespace holdfast::doors
