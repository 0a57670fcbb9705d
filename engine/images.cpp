#include <set>

#include "catalog/base/id_time.h"
#include "catalog/base/log.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/settings_store.h"
#include "engine/audit.h"
#include "engine/live_engine.h"

namespace holdfast {
namespace {

// Tells of damage. The same place is told once an opening, and no more than some places are: a reader who
// goes on over a ruined file would fill the event log.
class WatchedImage : public OpenedImage {
 public:
  using Tell = std::function<void(const Error& error)>;
  WatchedImage(Tell tell, std::shared_ptr<void> counted)
      : tell_(std::move(tell)), counted_(std::move(counted)) {}

  Result<> read(std::uint64_t offset, ByteSpan into) const final { return watched(read_it(offset, into)); }
  Result<image::ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const final {
    return watched(extent_at(offset, at_most));
  }

 private:
  virtual Result<> read_it(std::uint64_t offset, ByteSpan into) const = 0;
  virtual Result<image::ReadExtent> extent_at(std::uint64_t offset, std::uint64_t at_most) const = 0;

  template <class T>
  Result<T> watched(Result<T> done) const {
    if (!done && done.error().code == EIO) {
      const std::lock_guard lock(mutex_);
      if (told_.size() < kMostTold && told_.insert(done.error().message).second) tell_(done.error());
    }
    return done;
  }

  static constexpr std::size_t kMostTold = 16;
  const Tell tell_;
  const std::shared_ptr<void> counted_;  // among those that are open
  mutable std::mutex mutex_;
  mutable std::set<std::string> told_;
};

class RawImage final : public WatchedImage {
 public:
  RawImage(std::shared_ptr<const image::Stack> stack, Tell tell, std::shared_ptr<void> counted)
      : WatchedImage(std::move(tell), std::move(counted)), stack_(std::move(stack)) {}
  std::uint64_t size() const override { return stack_->size(); }

 private:
  Result<> read_it(std::uint64_t offset, ByteSpan into) const override { return stack_->read(offset, into); }
  Result<image::ReadExtent> extent_at(std::uint64_t offset, std::uint64_t at_most) const override {
    return stack_->extent(offset, at_most);
  }

  const std::shared_ptr<const image::Stack> stack_;
};

class FlatImage final : public WatchedImage {
 public:
  FlatImage(std::shared_ptr<const image::FlatView> view, Tell tell, std::shared_ptr<void> counted)
      : WatchedImage(std::move(tell), std::move(counted)), view_(std::move(view)) {}
  std::uint64_t size() const override { return view_->size(); }

 private:
  Result<> read_it(std::uint64_t offset, ByteSpan into) const override { return view_->read(offset, into); }
  Result<image::ReadExtent> extent_at(std::uint64_t offset, std::uint64_t at_most) const override {
    return image::ReadExtent{.kind = image::ReadExtent::Kind::data, .offset = offset, .length = at_most};
  }

  const std::shared_ptr<const image::FlatView> view_;
};

}  // namespace

Result<LiveEngine::Shared> LiveEngine::share(const PointDisk& disk, ImageForm form) {
  const auto nothing_goes = readers_.opening();
  Machine machine;
  Repository repository;
  std::vector<Layer> layers;
  Settings settings;
  HF_CHECK(catalog_->read([&](db::Connection& db) -> Result<> {
    HF_TRY(const Point point, Points(db).get(disk.point_id));
    if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
    HF_TRY(machine, Machines(db).get(point.machine_id));
    HF_TRY(repository, Repositories(db).get(point.repository_id));
    HF_TRY(layers, Points(db).stack(disk.layer_id));
    HF_TRY(settings, SettingsStore(db).get());
    return {};
  }));
  const bool checked = settings.definition.verify_reads;

  const std::lock_guard lock(shared_mutex_);
  std::erase_if(shared_, [](const auto& entry) { return entry.second.stack.expired(); });
  auto& [weak_stack, weak_view] = shared_[{disk.layer_id, checked}];
  Shared image{weak_stack.lock(), weak_view.lock(),
               std::make_shared<repository::Readers::Open>(readers_, disk.point_id, clock_)};
  if (!image.stack) {
    HF_TRY(const auto place, shelf_.place(repository));
    HF_TRY(image.stack, place->open_stack(machine.key, layers, checked));
    weak_stack = image.stack;
  }
  if (!image.view && form == ImageForm::qcow2) {
    if (!disk.qcow2_bytes) return fail(ENOENT, "the flat image of '{}' is of unknown size", disk.name);
    HF_TRY(image.view, image::FlatView::open(image.stack, *disk.qcow2_bytes));
    weak_view = image.view;
  }
  return image;
}

// Opening is in the log whatever comes of it (law 15).
Result<std::shared_ptr<OpenedImage>> LiveEngine::open_image(Id point_disk, ImageForm form,
                                                            const Caller& caller) {
  HF_TRY(const PointDisk disk, this->point_disk(point_disk));
  const auto image = share(disk, form);
  HF_CHECK(catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, ObjectKind::point_disk, point_disk));
    Event event = make_event(clock_, "image.open", std::move(path), caller);
    event.result = image ? EventResult::ok : EventResult::failed;
    if (!image) event.reason = image.error().message;
    return record(db, event);
  }));
  if (!image && image.error().code == ENOENT)
    return fail(EIO, "an image of this point is missing: {}", image.error().message);
  if (!image) return tl::make_unexpected(image.error());
  const auto tell = [=, this](const Error& error) { tell_of_damage(point_disk, error, caller); };
  if (form == ImageForm::qcow2)
    return std::make_shared<FlatImage>(image->view, tell, count_open_image(image->open));
  return std::make_shared<RawImage>(image->stack, tell, count_open_image(image->open));
}

Result<> LiveEngine::remember_readers() {
  constexpr int kAtOnce = 1000;
  const Time since = clock_.now() - std::chrono::hours{1};
  for (Id after = first_id_at(since);;) {
    HF_TRY(const auto events, events_since(after, kAtOnce));
    if (events.empty()) return {};
    after = events.back().id;
    for (const Event& event : events) {
      if (event.event != "image.open" || event.result != EventResult::ok || event.at < since) continue;
      HF_TRY(const auto point, point_of_image(event.object));
      if (point) readers_.was_read(*point, event.at);
    }
  }
}

// "machines/M/points/T/DISK": none when it has gone, or is called otherwise by now.
Result<std::optional<Id>> LiveEngine::point_of_image(std::string_view path) {
  static constexpr std::string_view kMachines = "machines/", kPoints = "/points/";
  const auto points = path.find(kPoints);
  if (!path.starts_with(kMachines) || points == std::string_view::npos) return std::nullopt;
  const std::string_view machine = path.substr(kMachines.size(), points - kMachines.size());
  const std::string_view rest = path.substr(points + kPoints.size());
  return catalog_->read([&](db::Connection& db) -> Result<std::optional<Id>> {
    HF_TRY(const auto id, Machines(db).find(machine));
    if (!id) return std::nullopt;
    return Points(db).find(*id, rest.substr(0, rest.find('/')));
  });
}

void LiveEngine::tell_of_damage(Id point_disk, const Error& error, const Caller& caller) {
  const auto told = catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, ObjectKind::point_disk, point_disk));
    Event event = make_event(clock_, "image.damaged", std::move(path), caller);
    event.result = EventResult::failed;
    event.reason = error.message;
    return record(db, event);
  });
  if (!told) log::error("{}; that can't be recorded: {}", error.message, told.error().message);
}

}  // namespace holdfast
