// Accepts imports. Everything that could refuse one is checked before it becomes a job.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "catalog/base/host_path.h"
#include "catalog/model/json_text.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/foreign/foreign_image.h"
#include "engine/image/new_image.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/runs/begin.h"
#include "engine/runs/capture_work.h"

namespace holdfast::runs {
namespace {

struct ImportTarget {
  Repository repository;
  Machine machine;
  std::string disk;
};

Result<std::string> choose_disk(const Machine& machine, const std::string& wanted) {
  constexpr char kOfNoDefinition[] = "disk-0";
  if (!machine.complete) return wanted.empty() ? kOfNoDefinition : wanted;
  std::vector<std::string_view> names;
  for (const DiskDefinition& disk : machine.definition.disks) names.push_back(disk.name);
  if (wanted.empty() && names.size() == 1) return std::string(names.front());
  if (wanted.empty())
    return fail(EINVAL, "machine '{}' has {} disks ({}), and an image holds one; choose it by disk=NAME",
                machine.name, names.size(), fmt::join(names, ", "));
  if (std::ranges::find(names, wanted) == names.end())
    return fail(ENOENT, "machine '{}' has no disk '{}', only {}", machine.name, wanted,
                fmt::join(names, ", "));
  return wanted;
}

Result<ImportTarget> find_target(db::Connection& db, Id repository, const ImportRequest& request) {
  ImportTarget target;
  HF_TRY(target.repository, Repositories(db).get(repository));
  if (!target.repository.complete)
    return fail(EINVAL, "repository '{}' has no definition yet; write its config.json",
                target.repository.name);
  if (target.repository.definition.read_only)
    return fail(EROFS, "repository '{}' is read-only", target.repository.name);
  HF_TRY(const Id machine, Machines(db).resolve(request.machine));
  HF_CHECK(check_not_retired(db, machine));
  HF_TRY(target.machine, Machines(db).get(machine));
  HF_TRY(target.disk, choose_disk(target.machine, request.disk));
  HF_CHECK(capture::check_first_point(db, machine, repository));
  HF_TRY(const auto unfinished, Jobs(db).unfinished());
  for (const Job& job : unfinished)
    if (job.machine_id == machine && job.repository_id == repository)
      return fail(EBUSY, "job '{}' is about to make the first point of machine '{}' in repository '{}'",
                  job.name, target.machine.name, target.repository.name);
  return target;
}

// The image's file, found readable and representable as an image of the repository.
struct Found {
  std::shared_ptr<const foreign::ImageFile> file;
  foreign::Facts facts;
};
Result<Found> find_image(const std::string& path, const Repository& repository) {
  HF_CHECK(look_up(path));
  HF_TRY(auto file, foreign::ImageFile::open(path));
  HF_TRY(auto same, file.share());
  HF_TRY(const auto image, foreign::ForeignImage::open(std::move(same)));
  HF_CHECK(
      image::new_geometry(image->size(), static_cast<std::uint32_t>(repository.definition.cluster_size)));
  return Found{std::make_shared<const foreign::ImageFile>(std::move(file)), image->facts()};
}

Job make_job(const ImportRequest& request, const ImportTarget& target, const foreign::Facts& facts,
             Time now) {
  Job job = new_job(JobType::import, request.name, now);
  job.operation = to_word(PointKind::full);
  job.owner = "repositories/" + target.repository.name;
  job.machine_id = target.machine.id;
  job.repository_id = target.repository.id;
  const nlohmann::ordered_json metadata{{"file", request.file},
                                        {"disk", target.disk},
                                        {"format", foreign::to_word(facts.format)},
                                        {"version", facts.version}};
  job.metadata = json::compact(metadata);
  return job;
}

}  // namespace

// The image is examined outside of any transaction, because that may take long. The catalog is therefore
// checked again when the job is added.
Result<Work> begin_import(const capture::Services& services, Id repository, const ImportRequest& request,
                          const Caller& caller) {
  HF_TRY(const ImportTarget first,
         services.catalog.read([&](db::Connection& db) { return find_target(db, repository, request); }));
  HF_TRY(const auto place, services.shelf.place(first.repository));
  HF_CHECK(repository::claim(services.catalog, *place, first.repository));
  HF_TRY(const Found found, find_image(request.file, first.repository));

  return services.catalog.write([&](db::Connection& db) -> Result<Work> {
    HF_TRY(const ImportTarget target, find_target(db, repository, request));
    const Job job = make_job(request, target, found.facts, services.clock.now());
    HF_CHECK(Jobs(db).add(job));
    Event event = make_event(services.clock.now(), "repository.import", job.owner, caller);
    event.job = job.name;
    event.reason = request.file;
    HF_CHECK(record(db, event));

    Work work{.job = job.id,
              .machine = target.machine.id,
              .repository = target.repository.id,
              .name = "jobs/" + job.name};
    work.perform = capture_work(services, {.machine = target.machine.id,
                                           .repository = target.repository.id,
                                           .job = job.id,
                                           .imported = capture::ImportedImage{target.disk, found.file}});
    return work;
  });
}

}  // namespace holdfast::runs
