#include "engine/runs/verify_share.h"

#include "catalog/stores/jobs.h"
#include "catalog/stores/readings.h"
#include "catalog/stores/repositories.h"
#include "engine/capture/throttle.h"
#include "engine/common/audit.h"
#include "engine/runs/verification_work.h"

namespace holdfast::runs {
namespace {

Result<verify::Share> share_of(const capture::Services& services, const VerifyShare& wanted) {
  HF_TRY(const Repository repository,
         services.catalog.read([&](db::Connection& db) { return Repositories(db).get(wanted.repository); }));
  verify::Share share{.layers = {}, .throttles = {}, .may_go_on = wanted.may_go_on};
  for (const verify::Due& due : wanted.due) share.layers.push_back(due.layer);
  share.throttles.push_back(services.throttles.of(repository.id, repository.definition.bandwidth));
  share.throttles.push_back(std::make_shared<capture::Throttle>());
  share.throttles.back()->set_rate(wanted.bandwidth);
  return share;
}

JobEnd end_of(const verify::ShareOutcome& outcome) {
  JobEnd end;
  end.bytes_read = outcome.bytes_read;
  end.metadata = metadata_of(VerifyLevel::checksums, outcome);
  if (outcome.damaged_points > 0) {
    const verify::Damage& first = outcome.damage.front();
    end.status = RunStatus::error;
    end.reason = EndReason::damaged;
    end.message = fmt::format("{} points or copies are damaged; the first: {}, {}: {}",
                              outcome.damaged_points, first.point, first.disk, first.sentence);
  }
  if (outcome.unread.empty()) return end;
  if (end.status == RunStatus::success) {
    end.status = RunStatus::warning;
    end.reason = EndReason::failed;
  }
  end.message +=
      fmt::format("{}{} of {} layers could not be read; the first: {}", end.message.empty() ? "" : "; ",
                  outcome.unread.size(), outcome.layers, outcome.unreadable->message);
  return end;
}

Result<JobEnd> perform(const capture::Services& services, const VerifyShare& wanted, ProgressMeter& progress,
                       const source::Cancel& cancel) {
  HF_TRY(const verify::Share share, share_of(services, wanted));
  for (const verify::Due& due : wanted.due) progress.expect(due.bytes);
  verify::ShareOutcome outcome;
  const auto read = verify::read_share(services, share, progress, cancel, outcome);
  wanted.unread(outcome.unread);
  HF_CHECK(services.catalog.write([&](db::Connection& db) {
    return Readings(db).set_done_until(wanted.policy, wanted.repository,
                                       moved(wanted.done_until, wanted.portion, outcome.bytes_counted));
  }));
  if (read) return end_of(outcome);
  if (outcome.damaged_points == 0) return tl::make_unexpected(read.error());
  JobEnd end = end_of(outcome);
  end.message += "; " + read.error().message;
  return end;
}

}  // namespace

Result<Work> begin_verify_share(const capture::Services& services, VerifyShare share) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const std::string repository, Repositories(db).name_of(share.repository));
    Job job = new_job(JobType::verify, "", services.clock.now());
    job.operation = to_word(VerifyLevel::checksums);
    job.owner = "repositories/" + repository;
    job.repository_id = share.repository;
    HF_CHECK(Jobs(db).add(job));
    Event event = make_event(services.clock.now(), "verify", job.owner, std::nullopt);
    event.reason = fmt::format("{}, by policies/{}", to_word(VerifyLevel::checksums), share.policy_name);
    event.job = job.name;
    HF_CHECK(record(db, event));

    Work work{.job = job.id,
              .priority = kAfterAllOthers,
              .repository = share.repository,
              .name = "jobs/" + job.name};
    work.perform = [&services, share = std::move(share)](ProgressMeter& progress,
                                                         const source::Cancel& cancel) {
      return perform(services, share, progress, cancel);
    };
    return work;
  });
}

}  // namespace holdfast::runs
