#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/audit.h"
#include "engine/live_engine.h"

namespace holdfast {

Result<std::shared_ptr<image::Stack>> LiveEngine::shared_stack(const PointDisk& disk) {
  const std::lock_guard lock(stacks_mutex_);
  std::erase_if(stacks_, [](const auto& entry) { return entry.second.expired(); });
  if (const auto open = stacks_[disk.layer_id].lock()) return open;

  Machine machine;
  Repository repository;
  std::vector<Layer> layers;
  HF_CHECK(catalog_->read([&](db::Connection& db) -> Result<> {
    HF_TRY(const Point point, Points(db).get(disk.point_id));
    HF_TRY(machine, Machines(db).get(point.machine_id));
    HF_TRY(repository, Repositories(db).get(point.repository_id));
    HF_TRY(layers, Points(db).stack(disk.layer_id));
    return {};
  }));
  HF_TRY(const auto place, shelf_.place(repository));
  HF_TRY(auto stack, place->open_stack(machine.key, layers));
  stacks_[disk.layer_id] = stack;
  return stack;
}

// Opening is in the log whatever comes of it (law 15).
Result<std::shared_ptr<image::Stack>> LiveEngine::open_image(Id point_disk, const Caller& caller) {
  HF_TRY(const PointDisk disk, this->point_disk(point_disk));
  auto stack = shared_stack(disk);
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, ObjectKind::point_disk, point_disk));
    Event event = make_event(clock_, "image.open", std::move(path), caller);
    event.result = stack ? EventResult::ok : EventResult::failed;
    if (!stack) event.reason = stack.error().message;
    return record(db, event);
  }));
  if (!stack && stack.error().code == ENOENT)
    return fail(EIO, "an image of this point is missing: {}", stack.error().message);
  return stack;
}

}  // namespace holdfast
