#include "fsd/verbs/verb.h"

namespace holdfast::verbs {
namespace {

using enum Argument::Type;

constexpr Argument kRun[] = {
    {"type", choice, "auto|full|incremental"},
    {"machines", names, "A,B"},
    {"by", name, "NAME"},
    {"name", new_name, "ID"},
};

Result<> run(Engine& engine, Id flow, const Values& values, const Caller& caller) {
  RunRequest request;
  request.name = values.text("name");
  request.kind = from_word<PointKind>(values.text("type"));  // "auto" is none of them
  request.machines = values.list("machines");
  request.by = values.text("by");
  HF_CHECK(engine.run(flow, request, caller));
  return {};
}

Result<> cancel(Engine& engine, Id flow, const Values&, const Caller& caller) {
  return engine.cancel_flow(flow, caller);
}

Result<> enable(Engine& engine, Id flow, const Values&, const Caller& caller) {
  return engine.set_enabled(flow, true, caller);
}

Result<> disable(Engine& engine, Id flow, const Values&, const Caller& caller) {
  return engine.set_enabled(flow, false, caller);
}

constexpr Verb kVerbs[] = {
    {"run", kRun, "start an execution, to be seen at once as executions/ID; its wait file says how it ended",
     run},
    {"cancel", {}, "cancel what runs now", cancel},
    {"enable", {}, "let it run", enable},
    {"disable", {}, "let it run no more; what runs now goes on", disable},
};

}  // namespace

std::span<const Verb> of_flow() { return kVerbs; }

}  // namespace holdfast::verbs
