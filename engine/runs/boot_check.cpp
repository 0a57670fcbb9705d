// Accepts boot checks, and performs them.
#include <nlohmann/json.hpp>

#include "catalog/base/text.h"
#include "catalog/model/json_text.h"
#include "catalog/model/limits.h"
#include "catalog/model/manifest_json.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/policies.h"
#include "engine/common/audit.h"
#include "engine/runs/begin.h"
#include "engine/runs/boot_work.h"

namespace holdfast::runs {
namespace {

JobEnd end_of(const BootCheck& check, std::uint64_t bytes_read) {
  JobEnd end;
  end.bytes_read = bytes_read;
  end.metadata = json::compact(boot_check_json(check));
  if (check.result == VerdictResult::good) return end;
  end.status = RunStatus::error;
  end.reason = EndReason::boot_failed;
  end.message = check.reason;
  return end;
}

// Returns the policy of the flow that made the point, or the defaults.
Result<PolicyDefinition> policy_for(db::Connection& db, const Point& point) {
  if (!point.flow_id) return PolicyDefinition{};
  HF_TRY(const Flow flow, Flows(db).get(*point.flow_id));
  if (!flow.policy_id) return PolicyDefinition{};
  HF_TRY(Policy policy, Policies(db).get(*flow.policy_id));
  return std::move(policy.definition);
}

}  // namespace

decltype(Work::perform) boot_work(const capture::Services& services, boot::BootRequest request) {
  return [&services, request = std::move(request)](ProgressMeter& progress,
                                                   const source::Cancel& cancel) -> Result<JobEnd> {
    HF_TRY(const BootCheck check, boot::check_boot(services, request, progress, cancel));
    return end_of(check, progress.done());
  };
}

Result<Work> begin_boot_check(const capture::Services& services, Id id, const BootCheckRequest& request,
                              const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const Point point, Points(db).get(id));
    if (point.state != PointState::committed) return fail(ENOENT, "point '{}' has gone", point.name);
    HF_TRY(const std::string machine, Machines(db).name_of(point.machine_id));
    HF_TRY(const PolicyDefinition policy, policy_for(db, point));
    const boot::BootRequest wanted{.point = id,
                                   .expect = request.expect.value_or(policy.boot_expect),
                                   .timeout = request.timeout.value_or(policy.boot_timeout),
                                   .bus = request.bus.value_or(policy.boot_bus)};
    if (wanted.timeout < std::chrono::seconds{1} || wanted.timeout > json::kLongestBoot)
      return fail(EINVAL, "timeout is {}; a boot check may take from 1s to {}",
                  print_duration(wanted.timeout), print_duration(json::kLongestBoot));
    Job job = new_job(JobType::boot_check, request.name, services.clock.now());
    job.operation = print_boot_expect(wanted.expect);
    job.owner = fmt::format("machines/{}/points/{}", machine, point.name);
    job.machine_id = point.machine_id;
    job.repository_id = point.repository_id;
    HF_CHECK(Jobs(db).add(job));
    Event event = make_event(services.clock.now(), "boot-check", job.owner, caller);
    event.reason = job.operation;
    event.job = job.name;
    HF_CHECK(record(db, event));

    Work work{
        .job = job.id, .repository = point.repository_id, .name = "jobs/" + job.name, .boots_guest = true};
    work.perform = boot_work(services, wanted);
    return work;
  });
}

}  // namespace holdfast::runs
