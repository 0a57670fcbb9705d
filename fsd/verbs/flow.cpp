#include <nlohmann/json.hpp>

#include "catalog/model/definition_json.h"
#include "catalog/model/json_text.h"
#include "catalog/model/rights.h"
#include "fsd/verbs/limits.h"
#include "fsd/verbs/test.h"

namespace holdfast::verbs {
namespace {

using enum Argument::Type;

constexpr Argument kRun[] = {
    {"type", choice, "auto|full|incremental"},
    {"machines", names, "A,B"},
    {"by", name, "NAME"},
    kBandwidth,
    kSample,
    {"name", name, "ID"},
};

Result<> run(Engine& engine, Id flow, const Values& values, const Caller& caller) {
  RunRequest request;
  request.name = values.text("name");
  request.kind = from_word<PointKind>(values.text("type"));  // nullopt for "auto"
  request.machines = values.list("machines");
  request.by = values.text("by");
  HF_CHECK(read_limits(values, request));
  HF_CHECK(engine.requests().run(flow, request, caller));
  return {};
}

Result<> cancel(Engine& engine, Id flow, const Values&, const Caller& caller) {
  return engine.requests().cancel_flow(flow, caller);
}

Result<> enable(Engine& engine, Id flow, const Values&, const Caller& caller) {
  return engine.objects().enable_flow(flow, true, caller);
}

Result<> disable(Engine& engine, Id flow, const Values&, const Caller& caller) {
  return engine.objects().enable_flow(flow, false, caller);
}

using Json = nlohmann::ordered_json;

// Reads the value of a field. [, { and a double quote begin JSON. Else a field that is a list takes words
// with commas between them, and other fields take null, a number, true, false or text.
Result<Json> read_field(const Values& values, const std::string& field, const Json& now) {
  const std::string value = values.text(field);
  Json read = Json::parse(value, nullptr, /*allow_exceptions=*/false);
  if (value.find_first_of("[{\"") == 0) {
    if (read.is_discarded()) return fail(EINVAL, "{}={} is no JSON", field, value);
    if (!read.is_string()) return read;
    // JSON may be in quotes, except where it could be meant as text.
    const bool is_text = now.is_string() || now.is_null();
    Json inner = Json::parse(read.get_ref<const std::string&>(), nullptr, /*allow_exceptions=*/false);
    if (inner.is_string() || (!inner.is_discarded() && !is_text)) return inner;
    return now.is_array() ? Json::array({read}) : read;
  }
  if (now.is_array()) return value == "null" ? Json::array() : Json(values.list(field));
  return read.is_discarded() ? Json(value) : read;
}

Result<> set(Engine& engine, Id flow, const Values& values, const Caller& caller) {
  HF_TRY(const FlowView view, engine.status().flow(flow, Caller{}));
  Json definition = Json::parse(print_definition(view.flow.definition));
  for (const auto& [field, value] : values.all()) {
    HF_TRY(definition[field], read_field(values, field, definition.value(field, Json())));
  }
  HF_TRY(const auto wanted, parse_definition<FlowDefinition>(json::compact(definition)));
  if (const std::string field = root_only_change(view.flow.definition, wanted);
      caller.uid != 0 && !field.empty())
    return fail(EPERM, "only root may set '{}', because it names something of the host", field);
  return engine.objects().define(flow, wanted, caller);
}

Result<> clone(Engine& engine, Id flow, const Values& values, const Caller& caller) {
  // Checks the same right as mkdir does.
  HF_TRY(const Ownership collection, engine.objects().ownership(ObjectKind::flow, 0));
  if (!may(caller, collection, Right::write))
    return fail(EACCES, "the mode of flows does not let you make one");
  HF_CHECK(engine.objects().clone_flow(flow, values.text("to"), caller));
  return {};
}

constexpr Argument kSet[] = {{"FIELD", field, "VALUE", true}};
constexpr Argument kClone[] = {{"to", name, "NAME", true}};

constexpr Verb kFlowVerbs[] = {
    {"run", kRun,
     "start an execution: executions/ID exists at once, and its wait file returns the final status", run},
    {"cancel", {}, "cancel the running execution", cancel},
    {"enable", {}, "let schedules and other flows start this flow", enable},
    {"disable", {}, "let only its own `run` start this flow; a running execution goes on", disable},
    {"test", kTest,
     "check all that a run needs, by the job jobs/ID; its log has a line for each check. No data is moved",
     test<ObjectKind::flow>},
    {"set", kSet,
     "change the named fields of config.json; the other fields stay. VALUE is a word, a list as A,B, or "
     "JSON: "
     "tags=a,b description=\"the web\" hooks=[\"a\"]",
     set},
    {"clone", kClone, "make another flow with the same definition", clone},
};

}  // namespace

std::span<const Verb> of_flow() { return kFlowVerbs; }

}  // namespace holdfast::verbs
