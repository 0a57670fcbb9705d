#include "engine/reading/shared_images.h"

#include <algorithm>

#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/settings_store.h"
#include "engine/repository/shelf.h"

namespace holdfast {
namespace {

// Keeps the repository in use as long as the stack.
std::shared_ptr<image::Stack> held_with(std::shared_ptr<repository::Shelf::Use> use,
                                        std::shared_ptr<image::Stack> stack) {
  image::Stack* const its = stack.get();
  using Both = std::pair<std::shared_ptr<repository::Shelf::Use>, std::shared_ptr<image::Stack>>;
  return {std::make_shared<Both>(std::move(use), std::move(stack)), its};
}

}  // namespace

Result<std::vector<Id>> SharedImages::repositories_of(const PointDisk& disk) {
  return services_.catalog.read([&](db::Connection& db) -> Result<std::vector<Id>> {
    HF_TRY(const Point point, Points(db).get(disk.point_id));
    if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
    std::vector<Id> repositories{point.repository_id};
    HF_TRY(const auto copies, Copies(db).of_point(point.id));
    for (const Copy& copy : copies) repositories.push_back(copy.repository_id);
    return repositories;
  });
}

Result<SharedImages::Site> SharedImages::site_at(const PointDisk& disk, Id repository) {
  return services_.catalog.read([&](db::Connection& db) -> Result<Site> {
    HF_TRY(const Point point, Points(db).get(disk.point_id));
    if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
    std::optional<Id> layer;
    if (point.repository_id == repository) {
      const auto its = std::ranges::find(point.disks, disk.id, &PointDisk::id);
      if (its != point.disks.end()) layer = its->layer_id;
    }
    HF_TRY(const auto copies, Copies(db).of_point(point.id));
    for (const Copy& copy : copies) {
      const auto its = std::ranges::find(copy.disks, disk.disk_id, &CopyDisk::disk_id);
      if (copy.repository_id == repository && its != copy.disks.end()) layer = its->layer_id;
    }
    if (!layer) return fail(ENOENT, "point '{}' has no disk '{}' there", point.name, disk.name);
    HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
    HF_TRY(const Settings settings, SettingsStore(db).get());
    Site site{.machine_key = machine.key,
              .repository = {},
              .layers = {},
              .checked = settings.definition.verify_reads};
    HF_TRY(site.repository, Repositories(db).get(repository));
    HF_TRY(site.layers, Points(db).stack(*layer));
    return site;
  });
}

Result<SharedImage> SharedImages::open(const PointDisk& disk, ImageForm form, const std::set<Id>& but) {
  HF_TRY(const auto repositories, repositories_of(disk));
  std::optional<Error> why;
  for (const Id repository : repositories) {
    if (but.contains(repository)) continue;
    const auto nothing_goes = services_.readers.opening(repository);
    const auto site = site_at(disk, repository);
    auto shared = site ? open_at(*site, disk, form) : tl::make_unexpected(site.error());
    if (shared && why) shared->detour = detour_to(repository, why->message);
    if (shared) return shared;
    if (!why) why = shared.error();
  }
  if (!why) return fail(ENOENT, "there is no further place to read it from");
  return tl::make_unexpected(*why);
}

std::shared_ptr<SharedImages::WeaklyShared> SharedImages::shared_at(const Site& site) {
  const MutexLock lock(mutex_);
  std::erase_if(shared_,
                [](const auto& entry) { return entry.second.use_count() == 1 && is_over(*entry.second); });
  auto& shared = shared_[{site.layers.front().id, site.checked}];
  if (!shared) shared = std::make_shared<WeaklyShared>();
  return shared;
}

bool SharedImages::is_over(WeaklyShared& shared) {
  const MutexLock lock(shared.mutex);
  return shared.stack.expired();
}

Result<SharedImage> SharedImages::open_at(const Site& site, const PointDisk& disk, ImageForm form) {
  const auto shared = shared_at(site);
  const MutexLock lock(shared->mutex);
  SharedImage image{
      site.repository.id,
      shared->stack.lock(),
      shared->view.lock(),
      std::make_shared<repository::Readers::Open>(services_.readers, disk.point_id, services_.clock),
      {}};
  if (!image.stack) {
    const auto place = services_.shelf.place(site.repository);
    if (!place) return fail(EIO, "{}", place.error().message);
    HF_TRY(auto stack, (*place)->open_stack(site.machine_key, site.layers, site.checked));
    image.stack = held_with(services_.shelf.use(site.repository.id), std::move(stack));
    shared->stack = image.stack;
  }
  if (!image.view && form == ImageForm::qcow2) {
    if (!disk.qcow2_bytes) return fail(ENOENT, "the flat image of '{}' is of unknown size", disk.name);
    image.view = std::make_shared<image::FlatView>(image.stack, *disk.qcow2_bytes);
    shared->view = image.view;
  }
  return image;
}

std::string SharedImages::detour_to(Id repository, const std::string& why) {
  const auto name =
      services_.catalog.read([&](db::Connection& db) { return Repositories(db).name_of(repository); });
  return fmt::format("read from repositories/{}: {}", name.value_or("?"), why);
}

}  // namespace holdfast
