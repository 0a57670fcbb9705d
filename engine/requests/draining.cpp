// Draining, before an upgrade: no new work, and an end of running work.
//
//   open ──drain──► draining ──all has ended──► drained
//     ▲                │                            │
//     └── resume, a cancel of the job, its timeout ─┴── resume
//
// The state is not stored: the next process accepts work.
#include "catalog/base/log.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/recovered.h"
#include "engine/common/audit.h"
#include "engine/common/bell.h"
#include "engine/reading/reading.h"
#include "engine/requests/requests.h"
#include "engine/runs/runner.h"

namespace holdfast {
namespace {

constexpr std::string_view kDaemon = "control";  // object of the events

}  // namespace

Result<Id> Requests::drain(const DrainRequest& request, const Caller& caller) {
  const MutexLock lock(draining_mutex_);
  HF_CHECK(check_job_name(request.name));
  HF_TRY(const auto admission, runner_.admit());
  Job job = runs::new_job(JobType::drain, request.name, services_.clock.now());
  job.operation = "drain";
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    HF_CHECK(Jobs(db).add(job));
    Event event = make_event(services_.clock.now(), "daemon.drain", std::string{kDaemon}, caller);
    event.job = job.name;
    return record(db, event);
  }));
  runner_.close_to_new_work(true);
  drain_job_ = job.id;

  std::optional<std::chrono::steady_clock::time_point> until;
  if (request.timeout) until = std::chrono::steady_clock::now() + *request.timeout;
  runs::Work work{.job = job.id, .beside = true, .name = "jobs/" + job.name};
  work.perform = [this, id = job.id, until](ProgressMeter&,
                                            const source::Cancel& cancel) -> Result<runs::JobEnd> {
    // Waits for the end of drain(), and so of its admission: the job waits for work that is taken on, not for
    // itself.
    { const MutexLock taken_on(draining_mutex_); }
    auto quiet = runner_.wait_for_quiet(id, cancel, until, [this] { return reading_.open_images() == 0; });
    if (quiet) return runs::JobEnd{};
    // An upgrade goes on without the readers who own nothing.
    const auto owners_have_ended = [this] { return reading_.open_images_of_owners() == 0; };
    if (quiet.error().code == ETIMEDOUT && runner_.wait_for_quiet(id, cancel, until, owners_have_ended))
      return runs::JobEnd{
          .message = fmt::format("{} open images of users who don't own their machines were not waited for",
                                 reading_.open_images())};
    if (quiet.error().code != ETIMEDOUT) return tl::make_unexpected(quiet.error());
    return runs::JobEnd{.status = RunStatus::error,
                        .reason = EndReason::timed_out,
                        .message = fmt::format("{}, and {} images are open; new work is taken again",
                                               quiet.error().message, reading_.open_images())};
  };
  // Reopens after any other end, also one before the job began.
  work.next = [this](db::Connection&, const runs::JobEnd& end) -> Result<std::optional<runs::Work>> {
    if (end.status != RunStatus::success) runner_.close_to_new_work(false);
    return std::nullopt;
  };
  runner_.add(std::move(work));
  return job.id;
}

Result<> Requests::resume(const Caller& caller) {
  const MutexLock lock(draining_mutex_);
  HF_TRY(const auto recovered, services_.catalog.read([](db::Connection& db) { return recovered_at(db); }));
  if (!runner_.is_closed() && !services_.clock_watch.doubt() && !recovered)
    return fail(EINVAL, "the daemon takes work, and its clock is plausible; there is nothing to resume");
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    if (recovered) HF_CHECK(set_recovered_at(db, std::nullopt));
    return record(db, make_event(services_.clock.now(), "daemon.resume", std::string{kDaemon}, caller));
  }));
  services_.clock_watch.accept();
  if (const auto stored = services_.clock_watch.remember(services_.catalog); !stored)
    log::warning("the clock can't be stored: {}", stored.error().message);
  runner_.close_to_new_work(false);
  (void)runner_.cancel(drain_job_);  // no effect if it has ended
  scheduler_.ring();
  return {};
}

}  // namespace holdfast
