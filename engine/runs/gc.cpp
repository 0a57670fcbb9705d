// Accepts garbage collections of repositories, and performs them. Paths in a repository tell the names of its
// machines, so the job names no repository by its id and is root's alone; events have no path (law 19).
#include "engine/retention/gc.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "catalog/model/json_text.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/repository/shelf.h"
#include "engine/runs/begin.h"

namespace holdfast::runs {
namespace {

constexpr std::size_t kMostInMetadata = 100;

struct Sum {
  std::size_t count = 0;
  std::uint64_t bytes = 0;
};

Sum sum_of(const retention::Strays& found, StrayFate fate) {
  Sum sum;
  for (const retention::Stray& stray : found.all) {
    if (stray.fate != fate) continue;
    ++sum.count;
    sum.bytes += stray.bytes;
  }
  return sum;
}

nlohmann::ordered_json metadata_of_gc(const retention::Collection& collection) {
  nlohmann::ordered_json metadata;
  for (const StrayFate fate : {StrayFate::garbage, StrayFate::aside, StrayFate::stays}) {
    const Sum sum = sum_of(collection.found, fate);
    metadata[std::string{to_word(fate)}] = {{"count", sum.count}, {"bytes", sum.bytes}};
  }
  metadata["done"] = {{"count", collection.done}, {"bytes", collection.bytes_done}};
  auto& found = metadata["found"] = nlohmann::ordered_json::array();
  for (const retention::Stray& stray : collection.found.all) {
    if (found.size() == kMostInMetadata) break;
    found.push_back({{"path", retention::shown_path(stray.path)},
                     {"bytes", stray.bytes},
                     {"fate", to_word(stray.fate)},
                     {"why", stray.why}});
  }
  return metadata;
}

std::string sentence_of(const retention::Collection& collection, GcAction action) {
  const Sum garbage = sum_of(collection.found, StrayFate::garbage);
  const Sum aside = sum_of(collection.found, StrayFate::aside);
  const Sum stays = sum_of(collection.found, StrayFate::stays);
  switch (action) {
    case GcAction::list:
      return fmt::format(
          "{} things of {} bytes belong to nothing; {} of {} bytes lie aside; {} are for a person",
          garbage.count, garbage.bytes, aside.count, aside.bytes, stays.count);
    case GcAction::set_aside:
      return fmt::format("{} things of {} bytes are set aside", collection.done, collection.bytes_done);
    case GcAction::remove:
      return fmt::format("{} things of {} bytes are deleted", collection.done, collection.bytes_done);
  }
  return "";
}

JobEnd end_of(const retention::Collection& collection, GcAction action) {
  JobEnd end{.message = sentence_of(collection, action),
             .metadata = json::compact(metadata_of_gc(collection))};
  if (!collection.found.missing.empty()) {
    end.status = RunStatus::warning;
    end.reason = EndReason::damaged;
    end.message += fmt::format("; {} points are absent, the first: {}", collection.found.missing.size(),
                               collection.found.missing.front());
  }
  if (!collection.put_off.empty()) {
    end.status = RunStatus::warning;
    end.reason = EndReason::failed;
    end.message += fmt::format("; {} could not be done, the first: {}", collection.put_off.size(),
                               collection.put_off.front());
  }
  return end;
}

struct Order {
  Repository repository;
  Job job;
  GcAction action = GcAction::list;
  Caller caller;
};

Event event_of(const Order& order, Time now, std::string reason) {
  Event event = make_event(now, "repository.gc", order.job.owner, order.caller);
  event.job = order.job.name;
  event.reason = std::move(reason);
  return event;
}

Result<JobEnd> perform(const capture::Services& services, const Order& order, ProgressMeter& progress,
                       const source::Cancel& cancel) {
  HF_TRY(const auto place, services.shelf.place(order.repository));
  const auto watch = [&]() -> Result<> {
    progress.move();
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    return {};
  };
  const auto tell = [&](const std::vector<std::string>& lines) {
    return services.catalog.write([&](db::Connection& db) -> Result<> {
      for (const std::string& line : lines) HF_CHECK(Logs(db).add(order.job, services.clock.now(), line));
      return {};
    });
  };
  HF_TRY(const auto collection,
         retention::collect(services, *place, order.repository, order.action, watch, tell));
  const JobEnd end = end_of(collection, order.action);
  if (order.action == GcAction::list) return end;
  HF_CHECK(services.catalog.write([&](db::Connection& db) {
    return record(db, event_of(order, services.clock.now(), sentence_of(collection, order.action)));
  }));
  return end;
}

}  // namespace

Result<Work> begin_gc(const capture::Services& services, Id id, const GcRequest& request,
                      const Caller& caller) {
  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    Order order{.action = request.action, .caller = caller};
    HF_TRY(order.repository, Repositories(db).get(id));
    const std::string& name = order.repository.name;
    if (!order.repository.complete)
      return fail(EINVAL, "repository '{}' is not complete; write its config.json first", name);
    Job& job = order.job = new_job(JobType::gc, request.name, services.clock.now());
    job.operation = to_word(request.action);
    job.owner = "repositories/" + name;
    HF_CHECK(Jobs(db).add(job));
    HF_CHECK(record(db, event_of(order, services.clock.now(), job.operation)));
    Work work{.job = job.id, .repository = id, .name = "jobs/" + job.name};
    work.perform = [&services, order](ProgressMeter& progress, const source::Cancel& cancel) {
      return perform(services, order, progress, cancel);
    };
    return work;
  });
}

}  // namespace holdfast::runs
