#include "engine/requests/requests.h"

#include <algorithm>

#include "catalog/base/text.h"
#include "catalog/stores/flows.h"
#include "engine/objects/changes.h"
#include "engine/objects/matching.h"
#include "engine/requests/flow_runs.h"
#include "engine/status/views.h"

namespace holdfast {
namespace {

// Returns the next starts by the flow's schedule, for the log of a dry run.
Result<runs::NextStarts> next_starts(db::Connection& db, Id id, Time now) {
  HF_TRY(const Flow flow, Flows(db).get(id));
  if (!flow.schedule_id) return runs::NextStarts{};
  const Caller daemon{};  // the reader of the log is asked for when it is read
  Sight sight(db, daemon);
  HF_TRY(const ScheduleView its, view_schedule(db, *flow.schedule_id, now, sight));
  return runs::NextStarts{its.schedule.name, its.next};
}

}  // namespace

Result<> check_job_name(const std::string& name) {
  constexpr std::size_t kDigitsOfId = 16;
  if (name.empty()) return {};
  HF_CHECK(check_name(name));
  const bool is_number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  if (is_number && name.size() >= kDigitsOfId)
    return fail(EINVAL, "name '{}' is a number of the kind that the daemon gives; add a letter", name);
  return {};
}

Result<Id> Requests::take_on(Result<runs::Work> accepted, const runs::Asked& asked) {
  HF_TRY(runs::Work work, std::move(accepted));
  const Id job = work.job;
  work.asked_by = asked;
  runner_.add(std::move(work));
  return job;
}

Result<Id> Requests::run(Id flow, const RunRequest& request, const Caller& caller) {
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  HF_TRY(const Guard admission, runner_.admit(runs::Asked{.uid = caller.uid}));
  HF_TRY(const auto executions, flow_runs_.run({flow}, request, caller));
  return executions.front();
}

Result<std::vector<Id>> Requests::run_matching(std::string_view pattern, const RunRequest& request,
                                               const Caller& caller) {
  if (!request.name.empty()) HF_CHECK(check_name(request.name));
  HF_TRY(const Guard admission, runner_.admit(runs::Asked{.uid = caller.uid}));
  HF_TRY(auto flows,
         services_.catalog.read([&](db::Connection& db) { return matching_flows(db, pattern, caller); }));
  std::vector<Id> enabled;
  for (const Flow& flow : flows)
    if (flow.definition.enabled) enabled.push_back(flow.id);
  if (enabled.empty()) return fail(EINVAL, "all flows that are called '{}' are disabled", pattern);
  return flow_runs_.run(enabled, request, caller);
}

Result<Id> Requests::back_up(Id machine, const BackupRequest& request, const Caller& caller) {
  HF_CHECK(check_job_name(request.name));
  const runs::Asked asked{caller.uid, machine};
  HF_TRY(const auto admission, runner_.admit(asked));
  return take_on(runs::begin_backup(services_, machine, request, caller), asked);
}

Result<Id> Requests::import_image(Id repository, const ImportRequest& request, const Caller& caller) {
  if (caller.uid != 0) return fail(EPERM, "'file' names something of the host: only root may import");
  HF_CHECK(check_job_name(request.name));
  HF_CHECK(check_name(request.machine));
  if (!request.disk.empty()) HF_CHECK(check_name(request.disk));
  const runs::Asked asked{caller.uid, repository};
  HF_TRY(const auto admission, runner_.admit(asked));
  return take_on(runs::begin_import(services_, repository, request, caller), asked);
}

Result<Id> Requests::verify(ObjectKind kind, Id object, const VerifyRequest& request, const Caller& caller) {
  HF_CHECK(check_job_name(request.name));
  const runs::Asked asked{caller.uid, object};
  HF_TRY(const auto admission, runner_.admit(asked));
  return take_on(runs::begin_verification(services_, kind, object, request, caller), asked);
}

Result<Id> Requests::repair(ObjectKind kind, Id object, const std::string& name, const Caller& caller) {
  HF_CHECK(check_job_name(name));
  const runs::Asked asked{caller.uid, object};
  HF_TRY(const auto admission, runner_.admit(asked));
  return take_on(runs::begin_repair(services_, kind, object, name, caller), asked);
}

Result<Id> Requests::boot_check(Id point, const BootCheckRequest& request, const Caller& caller) {
  HF_CHECK(check_job_name(request.name));
  const runs::Asked asked{caller.uid, point};
  HF_TRY(const auto admission, runner_.admit(asked));
  return take_on(runs::begin_boot_check(services_, point, request, caller), asked);
}

Result<Id> Requests::rescan(Id repository, const std::string& name, const Caller& caller) {
  if (caller.uid != 0) return fail(EPERM, "a rescan makes objects for their owners: only root may rescan");
  HF_CHECK(check_job_name(name));
  const runs::Asked asked{caller.uid, repository};
  HF_TRY(const auto admission, runner_.admit(asked));
  return take_on(runs::begin_rescan(services_, changes_.definitions(), repository, name, caller), asked);
}

Result<Id> Requests::gc(Id repository, const GcRequest& request, const Caller& caller) {
  if (caller.uid != 0) return fail(EPERM, "a collection deletes what no user owns: only root may write gc");
  HF_CHECK(check_job_name(request.name));
  const runs::Asked asked{caller.uid, repository};
  HF_TRY(const auto admission, runner_.admit(asked));
  return take_on(runs::begin_gc(services_, repository, request, caller), asked);
}

Result<Id> Requests::test(ObjectKind kind, Id object, const std::string& name, const Caller& caller) {
  HF_CHECK(check_job_name(name));
  const runs::Asked asked{caller.uid, object};
  HF_TRY(const auto admission, runner_.admit(asked));
  runs::NextStarts next;
  if (kind == ObjectKind::flow) {
    HF_TRY(next, services_.catalog.read(
                     [&](db::Connection& db) { return next_starts(db, object, services_.clock.now()); }));
  }
  return take_on(runs::begin_trial(services_, kind, object, name, std::move(next), caller), asked);
}

Result<Id> Requests::prune(Id machine, const PruneRequest& request, const Caller& caller) {
  HF_CHECK(check_job_name(request.name));
  return prunings_.begin(machine, request, caller);
}

}  // namespace holdfast
