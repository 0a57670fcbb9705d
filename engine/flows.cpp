// What is asked of flows besides their runs: whether they may run, another one like it, and many at once.
#include <fnmatch.h>

#include "catalog/base/text.h"
#include "catalog/model/definition_json.h"
#include "catalog/model/rights.h"
#include "catalog/stores/flows.h"
#include "engine/common/audit.h"
#include "engine/common/rights.h"
#include "engine/live_engine.h"

namespace holdfast {
namespace {

Result<std::vector<Flow>> matching(db::Connection& db, std::string_view pattern, const Caller& caller) {
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

Result<> enable(db::Connection& db, const Clock& clock, Flow flow, bool enabled, const Caller& caller) {
  if (!flow.complete)
    return fail(EINVAL, "flow '{}' is not complete; write its config.json first", flow.name);
  flow.definition.enabled = enabled;
  HF_CHECK(Flows(db).define(flow.id, flow.definition, clock.now()));
  return record(db,
                make_event(clock, enabled ? "flow.enable" : "flow.disable", "flows/" + flow.name, caller));
}

}  // namespace

Result<> LiveEngine::set_enabled(Id id, bool enabled, const Caller& caller) {
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(Flow flow, Flows(db).get(id));
    return enable(db, clock_, std::move(flow), enabled, caller);
  }));
  announce(ObjectKind::flow, id);
  return {};
}

Result<std::vector<Id>> LiveEngine::run_matching(std::string_view pattern, const RunRequest& request,
                                                 const Caller& caller) {
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  definitions_.changed();
  HF_TRY(const auto admission, runner_.admit());
  HF_TRY(auto flows, catalog_->read([&](db::Connection& db) { return matching(db, pattern, caller); }));
  std::vector<Id> enabled;
  for (const Flow& flow : flows)
    if (flow.definition.enabled) enabled.push_back(flow.id);
  if (enabled.empty()) return fail(EINVAL, "all flows that are called '{}' are disabled", pattern);
  return take_on(runs::begin_flows(services_, prunings_, enabled, request, caller));
}

Result<> LiveEngine::enable_matching(std::string_view pattern, bool enabled, const Caller& caller) {
  HF_TRY(const auto changed, catalog_->write([&](db::Connection& db) -> Result<std::vector<Flow>> {
    HF_TRY(auto flows, matching(db, pattern, caller));
    for (const Flow& flow : flows) HF_CHECK(enable(db, clock_, flow, enabled, caller));
    return flows;
  }));
  for (const Flow& flow : changed) announce(ObjectKind::flow, flow.id);
  return {};
}

Result<Id> LiveEngine::clone_flow(Id id, std::string_view name, const Caller& caller) {
  HF_CHECK(check_name(name));
  HF_TRY(const Id made, catalog_->write([&](db::Connection& db) -> Result<Id> {
    Flows flows(db);
    HF_TRY(const Flow original, flows.get(id));
    if (!original.complete)
      return fail(EINVAL, "flow '{}' is not complete; write its config.json first", original.name);
    if (const std::string field = root_only_change(FlowDefinition{}, original.definition);
        caller.uid != 0 && !field.empty())
      return fail(EPERM, "flow '{}' has '{}', which only root may set; only root may clone it", original.name,
                  field);
    const Ownership ownership{.uid = caller.uid, .gid = caller.gid};
    HF_TRY(const Flow clone, flows.add(name, ownership, clock_.now()));
    HF_CHECK(flows.define(clone.id, original.definition, clock_.now()));
    HF_TRY(const Flow defined, flows.get(clone.id));
    HF_CHECK(check_references(db, clone, defined, caller));
    Event event = make_event(clock_, "flow.clone", fmt::format("flows/{}", name), caller);
    event.reason = "flows/" + original.name;
    HF_CHECK(record(db, event));
    return clone.id;
  }));
  announce(ObjectKind::flow, made);
  return made;
}

}  // namespace holdfast
