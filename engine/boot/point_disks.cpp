#include "engine/boot/point_disks.h"

#include <algorithm>

#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"

namespace holdfast::boot {
namespace {

// The point's files in one repository: those of each disk, the newest first.
struct Site {
  std::string machine_key;
  Repository repository;
  std::vector<std::pair<std::string, std::vector<Layer>>> disks;  // by name
};

Result<std::vector<Id>> repositories_of(db::Connection& db, Id point) {
  HF_TRY(const Point its, Points(db).get(point));
  std::vector<Id> repositories{its.repository_id};
  HF_TRY(const auto copies, Copies(db).of_point(point));
  for (const Copy& copy : copies) repositories.push_back(copy.repository_id);
  return repositories;
}

Result<Site> site_in(db::Connection& db, Id id, Id repository) {
  Points points(db);
  HF_TRY(Point point, points.get(id));
  if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
  if (point.repository_id != repository) {
    HF_TRY(const auto copies, Copies(db).of_point(id));
    const auto copy = std::ranges::find(copies, repository, &Copy::repository_id);
    if (copy == copies.end()) return fail(ENOENT, "the copy of point '{}' has gone", point.name);
    for (PointDisk& disk : point.disks) {
      const auto its = std::ranges::find(copy->disks, disk.disk_id, &CopyDisk::disk_id);
      if (its == copy->disks.end())
        return fail(ENOENT, "the copy of point '{}' lacks {}", point.name, disk.name);
      disk.layer_id = its->layer_id;
    }
  }
  HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
  Site site{.machine_key = machine.key, .repository = {}, .disks = {}};
  HF_TRY(site.repository, Repositories(db).get(repository));
  for (const PointDisk& disk : point.disks) {
    HF_TRY(auto layers, points.stack(disk.layer_id));
    site.disks.emplace_back(disk.name, std::move(layers));
  }
  return site;
}

Result<PointDisks> open_in(const capture::Services& services, Id point, Id repository) {
  const auto nothing_goes = services.readers.opening(repository);
  HF_TRY(const Site site,
         services.catalog.read([&](db::Connection& db) { return site_in(db, point, repository); }));
  const auto place = services.shelf.place(site.repository);
  if (!place) return fail(EIO, "{}", place.error().message);
  PointDisks opened{
      .use = services.shelf.use(repository),
      .open = std::make_unique<repository::Readers::Open>(services.readers, point, services.clock),
      .disks = {}};
  for (const auto& [name, layers] : site.disks) {
    auto stack = (*place)->open_stack(site.machine_key, layers);
    if (!stack) return within(stack.error(), "{}", name);
    opened.disks.push_back({name, *std::move(stack)});
  }
  return opened;
}

}  // namespace

Result<PointDisks> open_disks(const capture::Services& services, Id point) {
  HF_TRY(const auto repositories,
         services.catalog.read([&](db::Connection& db) { return repositories_of(db, point); }));
  std::optional<Error> why;
  for (const Id repository : repositories) {
    auto opened = open_in(services, point, repository);
    if (opened) return opened;
    if (!why) why = opened.error();
  }
  return tl::make_unexpected(*why);
}

}  // namespace holdfast::boot
