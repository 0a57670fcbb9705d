// Accepts verifications, and performs them.
#include <nlohmann/json.hpp>

#include "catalog/model/json_text.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/runs/begin.h"
#include "engine/runs/verification_work.h"
#include "engine/verify/verify.h"

namespace holdfast::runs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostDocuments = 100;

Json misfits_json(const std::vector<verify::Misfit>& misfits) {
  Json all = Json::array();
  for (const verify::Misfit& misfit : misfits)
    if (all.size() < kMostDocuments)
      all.push_back(
          {{"object", json::text_or_null(misfit.object)}, {"file", misfit.file}, {"what", misfit.why}});
  return all;
}

}  // namespace

std::string metadata_of(VerifyLevel level, const verify::VerifyOutcome& outcome) {
  Json damage = Json::array();
  for (const verify::Damage& one : outcome.damage)
    damage.push_back({{"point", one.point}, {"disk", one.disk}, {"what", one.sentence}});
  const Json metadata{{"level", to_word(level)},
                      {"points", outcome.points},
                      {"damaged_points", outcome.damaged_points},
                      {"unreadable_points", outcome.unreadable_points},
                      {"layers", outcome.layers},
                      {"damage", std::move(damage)},
                      {"documents", misfits_json(outcome.documents)},
                      {"away", outcome.away}};
  return json::compact(metadata);
}

namespace {

// Returns an error, which may be retried, if nothing is damaged but a point could not be read.
Result<JobEnd> end_of(VerifyLevel level, const verify::VerifyOutcome& outcome) {
  if (outcome.damaged_points == 0 && outcome.unreadable)
    return fail(outcome.unreadable->code, "{} of {} points could not be read; the first: {}",
                outcome.unreadable_points, outcome.points, outcome.unreadable->message);
  JobEnd end;
  end.bytes_read = outcome.bytes_read;
  end.metadata = metadata_of(level, outcome);
  if (!outcome.away.empty()) {
    end.status = RunStatus::warning;
    end.reason = EndReason::repository_unreachable;
    end.message = fmt::format("not everything was checked: {}", fmt::join(outcome.away, "; "));
  }
  if (outcome.damaged_points == 0 && outcome.documents.empty()) return end;
  end.status = RunStatus::error;
  end.reason = EndReason::damaged;
  if (!outcome.documents.empty()) {
    const verify::Misfit& first = outcome.documents.front();
    end.message += fmt::format(
        "{}{} documents of the repository are damaged; `repair` writes them anew; the first: {}{}{}: {}",
        end.message.empty() ? "" : "; ", outcome.documents.size(), first.object,
        first.object.empty() ? "" : ", ", first.file, first.why);
  }
  if (outcome.damaged_points == 0) return end;
  end.message = fmt::format("{} of {} points are damaged; the first: {}, {}: {}{}{}", outcome.damaged_points,
                            outcome.points, outcome.damage.front().point, outcome.damage.front().disk,
                            outcome.damage.front().sentence, end.message.empty() ? "" : "; ", end.message);
  if (outcome.unreadable_points > 0)
    end.message += fmt::format("; {} points could not be read", outcome.unreadable_points);
  return end;
}

}  // namespace

Result<VerifyTarget> find_target(db::Connection& db, ObjectKind kind, Id object) {
  Points points(db);
  VerifyTarget target;
  switch (kind) {
    case ObjectKind::point: {
      HF_TRY(const Point point, points.get(object));
      HF_TRY(const std::string machine, Machines(db).name_of(point.machine_id));
      target.path = fmt::format("machines/{}/points/{}", machine, point.name);
      target.machine = point.machine_id;
      target.repository = point.repository_id;
      target.wanted.points = {object};
      HF_TRY(const auto copies, Copies(db).of_point(object));
      for (const Copy& copy : copies) target.wanted.copies.push_back(copy.id);
      return target;
    }
    case ObjectKind::machine: {
      HF_TRY(const std::string name, Machines(db).name_of(object));
      target.path = "machines/" + name;
      target.machine = object;
      HF_TRY(const auto all, points.list(object));
      for (const Named& point : all) target.wanted.points.push_back(point.id);
      HF_TRY(target.wanted.copies, Copies(db).of_machine(object));
      return target;
    }
    case ObjectKind::repository: {
      HF_TRY(const std::string name, Repositories(db).name_of(object));
      target.path = "repositories/" + name;
      target.repository = object;
      HF_TRY(target.wanted.points, points.of_repository(object));
      HF_TRY(target.wanted.copies, Copies(db).of_repository(object));
      target.wanted.repositories = {object};
      return target;
    }
    default: return fail(EINVAL, "only points, machines and repositories hold stored data");
  }
}

decltype(Work::perform) verification_work(const capture::Services& services, verify::Wanted wanted,
                                          VerifyLevel level) {
  return [&services, wanted = std::move(wanted), level](ProgressMeter& progress,
                                                        const source::Cancel& cancel) -> Result<JobEnd> {
    HF_TRY(const auto outcome, verify::verify_points(services, wanted, level, progress, cancel));
    return end_of(level, outcome);
  };
}

Result<Work> begin_verification(const capture::Services& services, ObjectKind kind, Id object,
                                const VerifyRequest& request, const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const VerifyTarget target, find_target(db, kind, object));
    Job job = new_job(JobType::verify, request.name, services.clock.now());
    job.operation = to_word(request.level);
    job.owner = target.path;
    job.machine_id = target.machine;
    job.repository_id = target.repository;
    HF_CHECK(Jobs(db).add(job));
    Event event = make_event(services.clock.now(), "verify", target.path, caller);
    event.reason = to_word(request.level);
    event.job = job.name;
    HF_CHECK(record(db, event));

    Work work{.job = job.id, .repository = target.repository, .name = "jobs/" + job.name};
    work.perform = verification_work(services, target.wanted, request.level);
    return work;
  });
}

}  // namespace holdfast::runs
