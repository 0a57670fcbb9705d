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

// Takes a value as JSON if it parses as JSON, else as text: enabled=false, tags=["web"], description="the web
// servers".
Result<> set(Engine& engine, Id flow, const Values& values, const Caller& caller) {
  HF_TRY(const FlowView view, engine.status().flow(flow));
  using Json = nlohmann::ordered_json;
  Json definition = Json::parse(print_definition(view.flow.definition));
  for (const auto& [field, value] : values.all()) {
    Json read = Json::parse(value, nullptr, /*allow_exceptions=*/false);
    definition[field] = read.is_discarded() ? Json(value) : std::move(read);
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
    {"set", kSet, "change the named fields of config.json; the other fields stay", set},
    {"clone", kClone, "make another flow with the same definition", clone},
};

}  // namespace

std::span<const Verb> of_flow() { return kFlowVerbs; }

}  // namespace holdfast::verbs
