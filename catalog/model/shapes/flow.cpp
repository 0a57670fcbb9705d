#include <algorithm>

#include "catalog/model/recipient.h"
#include "catalog/model/shapes/definition.h"

namespace holdfast::json {
namespace {

// Notices as "failure https://example.org/path": when a recipient is told, and where.
const Value<std::vector<std::string>>& notices() {
  static const std::string must =
      "a list of notices, each as \"failure https://example.org/path\": failure, warning, recovery or "
      "always, a blank or a colon, and an http or https address";
  static const Value<std::string> notice{
      must,
      {{"type", "string"}, {"pattern", "^(failure|warning|recovery|always)[ :]https?://[!-~]+$"}},
      [](const Json& found, const std::string& at) -> Result<std::string> {
        if (!found.is_string()) return wrong(found, at, must);
        const auto& text = found.get_ref<const std::string&>();
        if (!parse_recipient(text)) return wrong(found, at, must);
        return text;
      },
      [](const std::string& text) { return Json(text); }};
  static const auto value = list(notice, 0, must, [](const std::string& text) { return text; });
  return value;
}

// The turn among all flows: an owner may stand back, and root alone lets a flow go first.
Field<FlowDefinition> priority() {
  auto made = field(
      "priority", &FlowDefinition::priority, integer(-100, 100),
      "Whose jobs begin first where several wait: those of the higher one. Root alone raises it above 0.");
  made.root_only_change = [](const FlowDefinition& before, const FlowDefinition& after) -> std::string {
    return after.priority > std::max(before.priority, 0) ? "priority" : "";
  };
  return made;
}

// Commands: names of files in the hooks' folder, which is root's.
const Value<std::vector<std::string>>& commands() {
  static const auto value = list(name(), 0, "a list of names", [](const std::string& name) { return name; });
  return value;
}

}  // namespace

template <>
const Shape<FlowDefinition>& shape() {
  using D = FlowDefinition;
  static const Json replicates{{"properties", {{"type", {{"const", "replication"}}}}},
                               {"required", {"type"}}};
  static const Rule<D> from_is_for_replication{
      {{"if", replicates},
       {"then", {{"required", {"from"}}, {"properties", {{"from", {{"type", "string"}}}}}}},
       {"else", {{"properties", {{"from", {{"type", "null"}}}}}}}},
      [](const D& definition) -> Result<> {
        if (definition.type == FlowType::replication && definition.from.empty())
          return fail(EINVAL, "field \"from\" is missing: a replication names the repository to copy out of");
        if (definition.type != FlowType::replication && !definition.from.empty())
          return fail(EINVAL, "field \"from\" is for flows of type \"replication\"; this one is a \"{}\"",
                      to_word(definition.type));
        if (!definition.from.empty() && definition.from == definition.repository)
          return fail(EINVAL, "\"from\" and \"repository\" are both \"{}\"; copies go to another one",
                      definition.from);
        return {};
      }};
  static const Shape<D> flow{
      "What is backed up, and to where; or whose points are carried from one repository to another.",
      {
          description<D>(),
          tags<D>(),
          field("type", &D::type, word<FlowType>(), "What its runs do."),
          reference("target", &D::target, target_path(),
                    "What its runs back up: a machine, as machines/NAME, or the machines of a group, as "
                    "groups/NAME.",
                    Need::required),
          reference("repository", &D::repository, name(),
                    "The name of the repository that its points, or copies, go to.", Need::required),
          reference("from", &D::from, or_null(name()),
                    "Of a replication: the repository whose points are copied, by name; null: it is none."),
          reference("schedule", &D::schedule, or_null(name()),
                    "The schedule that starts it, by name; null: none."),
          reference("policy", &D::policy, or_null(name()),
                    "The policy that its runs and its points follow, by name; null: its points are kept."),
          field("enabled", &D::enabled, boolean(),
                "Whether schedules, other flows and `run flows=` start it; its own `run` always does."),
          field(
              "overlap", &D::overlap, word<Overlap>(),
              "What becomes of a start by its schedule, or after a flow, while it runs: skip leaves it out, "
              "queue lets one wait for the end."),
          reference("after", &D::after, or_null(name()),
                    "The flow after whose end it starts, by name; null: none. Circles are refused."),
          field("after_when", &D::after_when, word<AfterWhen>(),
                "How that one has to have ended: in success, or however it went."),
          field("timeout", &D::timeout, duration(kAtLeastOneSecond),
                "How long an execution may take from the beginning of its first job; then it is ended."),
          field("stall", &D::stall, duration(kAtLeastOneSecond),
                "How long a job may get no further; then it is ended."),
          priority(),
          field("only_if", &D::only_if, or_null(name()),
                "A command in the hooks' folder: where it does not succeed, nothing runs. null: none.",
                Need::optional, Setter::root),
          field("hooks", &D::hooks, commands(),
                "Commands in the hooks' folder, each called before the first job and after the last.",
                Need::optional, Setter::root),
          field("notify", &D::recipients, notices(),
                "Who is told by HTTP how an execution has ended: failure, warning, recovery (a success after "
                "neither) or always, and where.",
                Need::optional, Setter::root),
      },
      {from_is_for_replication}};
  return flow;
}

}  // namespace holdfast::json

namespace holdfast {
HF_DEFINITION(FlowDefinition);
}
