// Accepts repairs, and performs them.
#include "engine/repair/repair.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catalog/model/json_text.h"
#include "catalog/stores/jobs.h"
#include "engine/common/audit.h"
#include "engine/runs/begin.h"
#include "engine/runs/verification_work.h"

namespace holdfast::runs {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostLost = 100;  // entries of each list in a job's metadata

Json lost_json(const std::vector<repair::Lost>& lost) {
  Json all = Json::array();
  for (const repair::Lost& one : lost) {
    if (all.size() == kMostLost) break;
    Json ranges = Json::array();
    for (const image::DiskRange& range : one.ranges) {
      if (ranges.size() == kMostLost) break;
      ranges.push_back({{"offset", range.offset}, {"length", range.length}});
    }
    all.push_back(
        {{"point", one.point}, {"disk", one.disk}, {"file", one.file}, {"ranges", std::move(ranges)}});
  }
  return all;
}

Json healed_json(const std::vector<repair::RepairOutcome::Healed>& healed) {
  Json all = Json::array();
  for (const auto& [object, file] : healed)
    if (all.size() < kMostLost) all.push_back({{"object", json::text_or_null(object)}, {"file", file}});
  return all;
}

std::vector<std::string> first_of(const std::vector<std::string>& all) {
  return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), kMostLost))};
}

std::string metadata_of_repair(const repair::RepairOutcome& outcome) {
  return json::compact(Json{{"points", outcome.found.points},
                            {"damaged_points", outcome.damaged_points},
                            {"damaged_layers", outcome.damaged_layers},
                            {"healed_layers", outcome.healed_layers},
                            {"healed_bytes", outcome.healed_bytes},
                            {"healed", healed_json(outcome.healed)},
                            {"documents", healed_json(outcome.documents)},
                            {"lost", lost_json(outcome.lost)},
                            {"hindered", first_of(outcome.hindered)}});
}

std::string sentence_of(const repair::Lost& lost) {
  if (lost.ranges.empty())
    return fmt::format("{}, {}: the tables of {} are lost", lost.point, lost.disk, lost.file);
  const image::DiskRange& first = lost.ranges.front();
  return fmt::format("{}, {}: {} bytes at {} of the disk, in {}", lost.point, lost.disk, first.length,
                     first.offset, lost.file);
}

JobEnd end_of(const repair::RepairOutcome& outcome) {
  JobEnd end;
  end.bytes_read = outcome.found.bytes_read;
  end.metadata = metadata_of_repair(outcome);
  end.message = outcome.damaged_layers == 0 && outcome.documents.empty() && outcome.found.documents.empty()
                    ? "nothing is damaged"
                    : fmt::format("{} of {} damaged layers are healed, {} of {} documents are written anew",
                                  outcome.healed_layers, outcome.damaged_layers, outcome.documents.size(),
                                  outcome.found.documents.size());
  if (!outcome.hindered.empty()) {
    end.status = RunStatus::warning;
    end.reason = EndReason::failed;
    end.message += "; " + outcome.hindered.front();
  }
  if (outcome.damaged_points == 0) return end;
  end.status = RunStatus::error;
  end.reason = EndReason::damaged;
  end.message += fmt::format("; {} points stay damaged", outcome.damaged_points);
  if (!outcome.lost.empty())
    end.message += fmt::format(
        ", the first: {}; a new full point of the machine lets `repair` heal what has not changed at the "
        "source",
        sentence_of(outcome.lost.front()));
  return end;
}

Result<> record_end(const capture::Services& services, const std::string& path, const std::string& job,
                    const JobEnd& end) {
  return services.catalog.write([&](db::Connection& db) {
    Event event = make_event(services.clock.now(), "repair.end", path, {});
    event.result = end.status == RunStatus::success ? EventResult::ok : EventResult::failed;
    event.reason = end.message;
    event.job = job;
    return record(db, event);
  });
}

}  // namespace

Result<Work> begin_repair(const capture::Services& services, ObjectKind kind, Id object,
                          const std::string& name, const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const VerifyTarget target, find_target(db, kind, object));
    Job job = new_job(JobType::repair, name, services.clock.now());
    job.operation = "repair";
    job.owner = target.path;
    job.machine_id = target.machine;
    job.repository_id = target.repository;
    HF_CHECK(Jobs(db).add(job));
    Event event = make_event(services.clock.now(), "repair", target.path, caller);
    event.job = job.name;
    HF_CHECK(record(db, event));
    Work work{.job = job.id, .repository = target.repository, .name = "jobs/" + job.name};
    work.perform = [&services, target, job = job.name](ProgressMeter& progress,
                                                       const source::Cancel& cancel) -> Result<JobEnd> {
      HF_TRY(const auto outcome, repair::repair(services, target.wanted, progress, cancel));
      JobEnd end = end_of(outcome);
      HF_CHECK(record_end(services, target.path, job, end));
      return end;
    };
    return work;
  });
}

}  // namespace holdfast::runs
