#include "catalog/model/definition_json.h"

#include "catalog/base/bytes.h"
#include "catalog/model/json_shape.h"
#include "catalog/model/json_text.h"
#include "catalog/model/machine_shape.h"
#include "catalog/model/recipient.h"

namespace holdfast {
namespace {

using json::field;
using json::Json;
using json::Need;
using json::Rule;
using json::Setter;
using json::Shape;

template <class D>
const Shape<D>& shape();

constexpr std::chrono::seconds kNoTime{0};
constexpr std::chrono::seconds kAtLeastOneSecond{1};

const json::Value<std::vector<std::string>>& texts() {
  static const auto value =
      json::list(json::text_not_empty(), 0, "a list of text", [](const std::string& text) { return text; });
  return value;
}
const json::Value<std::vector<std::string>>& tags() { return texts(); }

// "failure https://example.org/path": when, and where to.
const json::Value<std::vector<std::string>>& notices() {
  static const std::string must =
      "a list of notices, each as \"failure https://example.org/path\": failure, warning, recovery or "
      "always, a blank, and an http or https address";
  static const json::Value<std::string> notice{
      must,
      {{"type", "string"}, {"pattern", "^(failure|warning|recovery|always) https?://[!-~]+$"}},
      [](const Json& found, const std::string& at) -> Result<std::string> {
        if (!found.is_string()) return json::wrong(found, at, must);
        const auto& text = found.get_ref<const std::string&>();
        if (!parse_recipient(text)) return json::wrong(found, at, must);
        return text;
      },
      [](const std::string& text) { return Json(text); }};
  static const auto value = json::list(notice, 0, must, [](const std::string& text) { return text; });
  return value;
}

// Of files in a folder of root's.
const json::Value<std::vector<std::string>>& commands() {
  static const auto value =
      json::list(json::name(), 0, "a list of names", [](const std::string& name) { return name; });
  return value;
}

template <>
const Shape<RepositoryDefinition>& shape() {
  using D = RepositoryDefinition;
  static constexpr int kMostOfDeflate = 9;
  static const Rule<D> deflate_levels{
      {{"if", {{"properties", {{"compression", {{"const", "deflate"}}}}}, {"required", {"compression"}}}},
       {"then", {{"properties", {{"compression_level", {{"maximum", kMostOfDeflate}}}}}}}},
      [](const D& definition) -> Result<> {
        if (definition.compression == Compression::deflate && definition.compression_level > kMostOfDeflate)
          return fail(EINVAL, "field \"compression_level\" is {}; for \"deflate\" it must be from 1 to {}",
                      definition.compression_level, kMostOfDeflate);
        return {};
      }};
  static const Shape<D> repository{
      "A place where points are kept.",
      {
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("path", &D::path, json::absolute_path(), "The directory of this host where it lies.",
                Need::required, Setter::root),
          field("compression", &D::compression, json::word<Compression>(), "Of the clusters of new points."),
          field("compression_level", &D::compression_level, json::integer(1, 22),
                "From quick to small: 1 to 22 for zstd, 1 to 9 for deflate."),
          field("cluster_size", &D::cluster_size, json::power_of_two(4096, 2097152),
                "Of new images, in bytes. A change makes the next points full ones."),
          field("max_jobs", &D::max_jobs, json::integer(1, 1000),
                "How many jobs may use it at once; the others wait."),
          field("bandwidth", &D::bandwidth, json::optional(json::size(1, json::kMostBytes)),
                "How many bytes a second all its backups may read together; null: as many as they can."),
          field("reserve", &D::reserve_percent, json::percent(),
                "So much of its file system backups leave free: where less is, a run ends."),
          field("read_only", &D::read_only, json::boolean(),
                "Nothing is written or deleted while it is true."),
      },
      {deflate_levels}};
  return repository;
}

template <>
const Shape<FlowDefinition>& shape() {
  using D = FlowDefinition;
  static const nlohmann::ordered_json replicates{{"properties", {{"type", {{"const", "replication"}}}}},
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
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("type", &D::type, json::word<FlowType>(), "What its runs do."),
          field("target", &D::target, json::target_path(),
                "What its runs back up: a machine, as machines/NAME, or the machines of a group, as "
                "groups/NAME.",
                Need::required),
          field("repository", &D::repository, json::name(),
                "The name of the repository that its points, or copies, go to.", Need::required),
          field("from", &D::from, json::or_null(json::name()),
                "Of a replication: the repository whose points are copied, by name; null: it is none."),
          field("schedule", &D::schedule, json::or_null(json::name()),
                "The schedule that starts it, by name; null: none."),
          field("policy", &D::policy, json::or_null(json::name()),
                "The policy that its runs and its points follow, by name; null: its points are kept."),
          field("enabled", &D::enabled, json::boolean(),
                "Whether schedules, other flows and `run flows=` start it; its own `run` always does."),
          field(
              "overlap", &D::overlap, json::word<Overlap>(),
              "What becomes of a start by its schedule, or after a flow, while it runs: skip leaves it out, "
              "queue lets one wait for the end."),
          field("after", &D::after, json::or_null(json::name()),
                "The flow after whose end it starts, by name; null: none. Circles are refused."),
          field("after_when", &D::after_when, json::word<AfterWhen>(),
                "How that one has to have ended: in success, or however it went."),
          field("timeout", &D::timeout, json::duration(kAtLeastOneSecond),
                "How long an execution may take from the beginning of its first job; then it is ended."),
          field("stall", &D::stall, json::duration(kAtLeastOneSecond),
                "How long a job may get no further; then it is ended."),
          field("priority", &D::priority, json::integer(-100, 100),
                "Whose jobs begin first where several wait: those of the higher one."),
          field("only_if", &D::only_if, json::or_null(json::name()),
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

template <>
const Shape<CredentialDefinition>& shape() {
  using D = CredentialDefinition;
  static const Shape<D> credential{"The name of a file that only root reads.",
                                   {
                                       field("description", &D::description, json::text(), "For people."),
                                       field("tags", &D::tags, tags(), "Words to find it by."),
                                   },
                                   {}};
  return credential;
}

template <>
const Shape<SourceDefinition>& shape() {
  using D = SourceDefinition;
  static const Shape<D> source{
      "A hypervisor or storage host that machines are in.",
      {
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("driver", &D::driver, json::word<SourceDriver>(), "How Holdfast speaks to it.",
                Need::required),
          field("uri", &D::uri, json::service_uri(), "Where it answers.", Need::required, Setter::root),
          field("credential", &D::credential, json::or_empty(json::name()),
                "The credential to log in with, by name.", Need::optional, Setter::root),
          field("max_jobs", &D::max_jobs, json::integer(1, 1000), "How many jobs may read from it at once."),
          field("bandwidth", &D::bandwidth, json::optional(json::size(1, json::kMostBytes)),
                "Of all jobs that read from it together, in bytes a second."),
          field("discover_every", &D::discover_every, json::duration(kAtLeastOneSecond),
                "How often its machines are looked up."),
      },
      {}};
  return source;
}

template <>
const Shape<GroupDefinition>& shape() {
  using D = GroupDefinition;
  static const Shape<D> group{"Machines that are backed up together; its members are links beside this file.",
                              {
                                  field("description", &D::description, json::text(), "For people."),
                                  field("tags", &D::tags, tags(), "Words to find it by."),
                              },
                              {}};
  return group;
}

template <>
const Shape<ScheduleDefinition>& shape() {
  using D = ScheduleDefinition;
  static const Rule<D> one_rule{
      {{"oneOf",
        {{{"required", {"cron"}},
          {"properties", {{"cron", {{"minLength", 1}}}, {"every", {{"type", "null"}}}}}},
         {{"required", {"every"}},
          {"properties", {{"every", {{"type", "string"}}}, {"cron", {{"const", ""}}}}}}}}},
      [](const D& definition) -> Result<> {
        if (definition.cron.empty() != definition.every.has_value())
          return fail(EINVAL, "a schedule has either \"cron\" or \"every\"; this one has {}",
                      definition.every ? "both" : "neither");
        return {};
      }};
  static const Shape<D> schedule{
      "When flows start.",
      {
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("cron", &D::cron, json::text(),
                "Minute, hour, day of month, month, day of week, as cron has them; or @hourly, @daily, "
                "@weekly, "
                "@monthly, @yearly. Where day of month and day of week are both given, either is enough."),
          field("every", &D::every, json::optional(json::duration(kAtLeastOneSecond)),
                "A span of time, instead of cron: its times are whole spans since 1970 began, in UTC."),
          field("timezone", &D::timezone, json::text_not_empty(),
                "The zone of cron and blackout, as tzdata calls it: Europe/Berlin."),
          field("jitter", &D::jitter, json::duration(kNoTime),
                "Each start is up to so much later: spread, and the same each time it is worked out."),
          field("missed", &D::missed, json::word<MissedAction>(),
                "What becomes of times at which nobody was there: run_once makes up for the last of them."),
          field("blackout", &D::blackout, texts(),
                "Windows in which nothing starts: 22:00-06:00, sat-sun, mon-fri 08:00-18:00."),
          field("enabled", &D::enabled, json::boolean(), "Whether it starts anything."),
      },
      {one_rule}};
  return schedule;
}

constexpr int kMostPoints = 1'000'000;

json::Value<FullEvery> full_every() {
  using json::Json;
  const auto span = json::duration(kAtLeastOneSecond);
  const auto points = json::integer(1, kMostPoints);
  const auto period = json::word<CalendarPeriod>();
  const std::string must =
      "a span of time as \"7d\", a number of points as 30, or " +
      json::one_of({Words<CalendarPeriod>::words.begin(), Words<CalendarPeriod>::words.end()});
  return {must,
          {{"anyOf", {span.schema, points.schema, period.schema}}},
          [=](const Json& found, const std::string& field) -> Result<FullEvery> {
            if (const auto read = period.read(found, field)) return FullEvery{*read};
            if (const auto read = points.read(found, field)) return FullEvery{*read};
            if (const auto read = span.read(found, field)) return FullEvery{*read};
            return json::wrong(found, field, must);
          },
          [=](const FullEvery& every) -> Json {
            if (const auto* after = std::get_if<std::chrono::seconds>(&every)) return span.write(*after);
            if (const auto* count = std::get_if<int>(&every)) return points.write(*count);
            return period.write(std::get<CalendarPeriod>(every));
          }};
}

template <>
const Shape<PolicyDefinition>& shape() {
  using D = PolicyDefinition;
  static const auto points = json::optional(json::integer(1, kMostPoints));
  static const Shape<D> policy{
      "How long points are kept, and how runs are made.",
      {
          field("description", &D::description, json::text(), "For people."),
          field("tags", &D::tags, tags(), "Words to find it by."),
          field("keep_last", &D::keep_last, points, "So many of the newest points stay."),
          field("keep_hourly", &D::keep_hourly, points, "The newest of each of so many hours stays."),
          field("keep_daily", &D::keep_daily, points, "The newest of each of so many days stays."),
          field("keep_weekly", &D::keep_weekly, points, "The newest of each of so many weeks stays."),
          field("keep_monthly", &D::keep_monthly, points, "The newest of each of so many months stays."),
          field("keep_yearly", &D::keep_yearly, points, "The newest of each of so many years stays."),
          field("min_age", &D::min_age, json::duration(kNoTime), "Nothing younger goes."),
          field("full_every", &D::full_every, json::optional(full_every()),
                "How often a full point is made: after a span of time, with each so many points, or once in "
                "each period of the calendar (UTC); null: never."),
          field("verify", &D::verify, json::optional(json::word<VerifyLevel>()), "After each run."),
          field("retries", &D::retries, json::integer(0, 100), "How often a failed job is tried again."),
          field("sample", &D::sample, json::integer(0, 100),
                "Percent of what the source calls unchanged that is compared with the parent."),
          field("bandwidth", &D::bandwidth, json::optional(json::size(1, json::kMostBytes)),
                "Of each job, in bytes a second."),
      },
      {}};
  return policy;
}

template <>
const Shape<SettingsDefinition>& shape() {
  using D = SettingsDefinition;
  constexpr std::uint64_t kLeastOfEvents = 4096;
  static const Shape<D> settings{
      "Settings of the daemon that may change while it runs.",
      {
          field("max_concurrent_jobs", &D::max_concurrent_jobs, json::integer(1, 1000),
                "How many jobs run at once."),
          field("verify_reads", &D::verify_reads, json::boolean(),
                "Whether what is read of points is checked against its checksums."),
          field("keep_executions", &D::keep_executions, json::integer(1, 1'000'000'000),
                "So many executions of each flow are remembered."),
          field(
              "events_size", &D::events_size, json::size(kLeastOfEvents, json::kMostBytes),
              "When events.jsonl has become so large, it goes on as events.jsonl.1, that one as .2, to .9."),
          field("hook_timeout", &D::hook_timeout, json::duration(kAtLeastOneSecond),
                "How long a command of a flow (only_if, hooks) may take; then it is killed."),
      },
      {}};
  return settings;
}

// The one shape that a document, or a definition, of a kind has; a machine's is its driver's.

template <class D>
Result<const Shape<D>*> shape_of_document(const Json&) {
  return &shape<D>();
}
template <>
Result<const Shape<MachineDefinition>*> shape_of_document(const Json& document) {
  return json::machine_shape_of(document);
}

template <class D>
const Shape<D>& shape_of(const D&) {
  return shape<D>();
}
template <>
const Shape<MachineDefinition>& shape_of(const MachineDefinition& machine) {
  return json::machine_shape(machine.driver);
}

template <class D>
Json schema_of() {
  return json::object_schema(shape<D>());
}
template <>
Json schema_of<MachineDefinition>() {
  return json::machine_schema();
}

}  // namespace

template <class Definition>
Result<Definition> parse_definition(std::string_view text) {
  HF_TRY(const Json document, json::parse_document(text));
  HF_TRY(const Shape<Definition>* its, shape_of_document<Definition>(document));
  return json::read_object(*its, document, "");
}

template <class Definition>
std::string print_definition(const Definition& definition) {
  return json::indented(json::write_object(shape_of(definition), definition));
}

template <class Definition>
const std::string& definition_schema() {
  static const std::string text = [] {
    Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}};
    schema.update(schema_of<Definition>());
    return schema.dump(2) + "\n";
  }();
  return text;
}

template <class Definition>
std::string root_only_change(const Definition& before, const Definition& after) {
  return json::root_only_change(shape_of(after), before, after);
}

#define HF_DEFINITION(D)                                    \
  template Result<D> parse_definition<D>(std::string_view); \
  template std::string print_definition<D>(const D&);       \
  template const std::string& definition_schema<D>();       \
  template std::string root_only_change<D>(const D&, const D&)

HF_DEFINITION(MachineDefinition);
HF_DEFINITION(RepositoryDefinition);
HF_DEFINITION(FlowDefinition);
HF_DEFINITION(CredentialDefinition);
HF_DEFINITION(SourceDefinition);
HF_DEFINITION(GroupDefinition);
HF_DEFINITION(ScheduleDefinition);
HF_DEFINITION(PolicyDefinition);
HF_DEFINITION(SettingsDefinition);

}  // namespace holdfast
