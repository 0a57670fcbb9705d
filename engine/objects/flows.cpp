// Flows: whether they may run, and another one like it.
#include <fnmatch.h>

#include "catalog/base/text.h"
#include "catalog/model/definition_json.h"
#include "catalog/model/rights.h"
#include "catalog/stores/flows.h"
#include "engine/common/rights.h"
#include "engine/objects/changes.h"
#include "engine/objects/matching.h"
#include "engine/objects/objects.h"

namespace holdfast {
namespace {

Result<> enable(db::Connection& db, const Clock& clock, Flow flow, bool enabled, const Caller& caller) {
  if (!flow.complete)
    return fail(EINVAL, "flow '{}' is not complete; write its config.json first", flow.name);
  if (flow.definition.enabled == enabled) return {};
  flow.definition.enabled = enabled;
  HF_CHECK(Flows(db).define(flow.id, flow.definition, clock.now()));
  return record(
      db, make_event(clock.now(), enabled ? "flow.enable" : "flow.disable", "flows/" + flow.name, caller));
}

}  // namespace

Result<std::vector<Flow>> matching_flows(db::Connection& db, std::string_view pattern, const Caller& caller) {
  const std::string shell_pattern{pattern};
  Flows flows(db);
  std::vector<Flow> found;
  HF_TRY(const auto all, flows.list());
  for (const Named& named : all) {
    if (fnmatch(shell_pattern.c_str(), named.name.c_str(), 0) != 0) continue;
    HF_TRY(Flow flow, flows.get(named.id));
    if (may(caller, flow.ownership, Right::write)) found.push_back(std::move(flow));
  }
  if (found.empty()) return fail(ENOENT, "no flow that you may change is called '{}'", pattern);
  return found;
}

Result<> Objects::enable_flow(Id id, bool enabled, const Caller& caller) {
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(Flow flow, Flows(db).get(id));
    return enable(db, services_.clock, std::move(flow), enabled, caller);
  }));
  changes_.announce(ObjectKind::flow, id);
  return {};
}

Result<> Objects::enable_flows(std::string_view pattern, bool enabled, const Caller& caller) {
  HF_TRY(const auto changed, services_.catalog.write([&](db::Connection& db) -> Result<std::vector<Flow>> {
    HF_TRY(auto flows, matching_flows(db, pattern, caller));
    for (const Flow& flow : flows) HF_CHECK(enable(db, services_.clock, flow, enabled, caller));
    return flows;
  }));
  for (const Flow& flow : changed) changes_.announce(ObjectKind::flow, flow.id);
  return {};
}

Result<Id> Objects::clone_flow(Id id, std::string_view name, const Caller& caller) {
  HF_CHECK(check_name(name));
  HF_TRY(const Id made, services_.catalog.write([&](db::Connection& db) -> Result<Id> {
    Flows flows(db);
    HF_TRY(const Flow original, flows.get(id));
    if (!original.complete)
      return fail(EINVAL, "flow '{}' is not complete; write its config.json first", original.name);
    if (const std::string field = root_only_change(FlowDefinition{}, original.definition);
        caller.uid != 0 && !field.empty())
      return fail(EPERM, "flow '{}' has '{}', which only root may set; only root may clone it", original.name,
                  field);
    const Ownership ownership{.uid = caller.uid, .gid = caller.gid};
    HF_TRY(const Flow clone, flows.add(name, ownership, services_.clock.now()));
    HF_CHECK(flows.define(clone.id, original.definition, services_.clock.now()));
    HF_TRY(const Flow defined, flows.get(clone.id));
    HF_CHECK(check_references(db, clone, defined, caller));
    Event event = make_event(services_.clock.now(), "flow.clone", fmt::format("flows/{}", name), caller);
    event.reason = "flows/" + original.name;
    HF_CHECK(record(db, event));
    return clone.id;
  }));
  changes_.announce(ObjectKind::flow, made);
  return made;
}

}  // namespace holdfast
