#include <algorithm>
#include <set>

#include "catalog/base/id_time.h"
#include "catalog/base/log.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/settings_store.h"
#include "engine/common/audit.h"
#include "engine/live_engine.h"

namespace holdfast {

// Read from one place of the point until a read fails there; then from the next one where that read is right,
// from which it goes on. Tells of damage and of each such detour. The same is told once an opening, and no
// more than some are: a reader who goes on over a ruined file would fill the event log.
class PointImage final : public OpenedImage {
 public:
  PointImage(LiveEngine& engine, PointDisk disk, ImageForm form, const Caller& caller,
             LiveEngine::Shared first)
      : engine_(engine),
        disk_(std::move(disk)),
        form_(form),
        caller_(caller),
        counted_(engine.count_open_image()),
        size_(form == ImageForm::raw ? first.stack->size() : first.view->size()),
        current_(std::make_shared<const LiveEngine::Shared>(std::move(first))) {}

  std::uint64_t size() const override { return size_; }

  Result<> read(std::uint64_t offset, ByteSpan into) const override {
    return read_somewhere([&](const LiveEngine::Shared& from) {
      return form_ == ImageForm::raw ? from.stack->read(offset, into) : from.view->read(offset, into);
    });
  }

  Result<image::ReadExtent> extent(std::uint64_t offset, std::uint64_t at_most) const override {
    if (form_ == ImageForm::qcow2)
      return image::ReadExtent{.kind = image::ReadExtent::Kind::data, .offset = offset, .length = at_most};
    return read_somewhere(
        [&](const LiveEngine::Shared& from) { return from.stack->extent(offset, at_most); });
  }

 private:
  using Place = std::shared_ptr<const LiveEngine::Shared>;

  template <class Read>
  auto read_somewhere(Read read) const -> decltype(read(std::declval<const LiveEngine::Shared&>())) {
    const Place first = current();
    auto done = read(*first);
    if (done) return done;
    tell_of_damage(done.error());
    std::set<Id> failed{first->repository};
    while (const Place next = another(failed)) {
      auto again = read(*next);
      if (again) {
        go_on_from(next, done.error());
        return again;
      }
      tell_of_damage(again.error());
      failed.insert(next->repository);
    }
    return done;
  }

  Place current() const {
    const std::lock_guard lock(mutex_);
    return current_;
  }

  // Null: there is none.
  Place another(const std::set<Id>& but) const {
    auto next = engine_.share(disk_, form_, but);
    if (!next) return nullptr;
    return std::make_shared<const LiveEngine::Shared>(*std::move(next));
  }

  void go_on_from(const Place& place, const Error& why) const {
    const std::lock_guard lock(mutex_);
    current_ = place;
    tell("image.failover", EventResult::ok, engine_.detour_to(place->repository, why.message));
  }

  void tell_of_damage(const Error& error) const {
    const std::lock_guard lock(mutex_);
    if (error.code == EIO) tell("image.damaged", EventResult::failed, error.message);
  }

  void tell(std::string_view event, EventResult result, const std::string& reason) const {
    if (told_.size() < kMostTold && told_.insert(reason).second)
      engine_.tell_of_image(disk_.id, event, result, reason, caller_);
  }

  static constexpr std::size_t kMostTold = 16;
  LiveEngine& engine_;
  const PointDisk disk_;
  const ImageForm form_;
  const Caller caller_;
  const Guard counted_;  // among those that are open
  const std::uint64_t size_;
  mutable std::mutex mutex_;  // guards what follows
  mutable Place current_;
  mutable std::set<std::string> told_;
};

Result<std::vector<LiveEngine::DiskPlace>> LiveEngine::places_of(const PointDisk& disk) {
  return catalog_->read([&](db::Connection& db) -> Result<std::vector<DiskPlace>> {
    HF_TRY(const Point point, Points(db).get(disk.point_id));
    if (point.state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point.name);
    HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
    HF_TRY(const Settings settings, SettingsStore(db).get());
    std::vector<DiskPlace> places;
    const auto add = [&](Id repository, Id layer) -> Result<> {
      DiskPlace& place = places.emplace_back();
      place.machine_key = machine.key;
      place.checked = settings.definition.verify_reads;
      HF_TRY(place.repository, Repositories(db).get(repository));
      HF_TRY(place.layers, Points(db).stack(layer));
      return {};
    };
    const auto now = std::ranges::find(point.disks, disk.id, &PointDisk::id);
    if (now == point.disks.end()) return fail(ENOENT, "point '{}' has no disk '{}'", point.name, disk.name);
    HF_CHECK(add(point.repository_id, now->layer_id));
    HF_TRY(const auto copies, Copies(db).of_point(point.id));
    for (const Copy& copy : copies)
      for (const CopyDisk& copied : copy.disks)
        if (copied.disk_id == disk.disk_id) HF_CHECK(add(copy.repository_id, copied.layer_id));
    return places;
  });
}

Result<LiveEngine::Shared> LiveEngine::share(const PointDisk& disk, ImageForm form, const std::set<Id>& but) {
  const auto nothing_goes = readers_.opening();
  HF_TRY(const auto places, places_of(disk));
  std::optional<Error> why;
  for (const DiskPlace& place : places) {
    if (but.contains(place.repository.id)) continue;
    auto shared = share_at(place, disk, form);
    if (shared && why) shared->detour = detour_to(place.repository.id, why->message);
    if (shared) return shared;
    if (!why) why = shared.error();
  }
  if (!why) return fail(ENOENT, "there is no further place to read it from");
  return tl::make_unexpected(*why);
}

Result<LiveEngine::Shared> LiveEngine::share_at(const DiskPlace& at, const PointDisk& disk, ImageForm form) {
  const std::lock_guard lock(shared_mutex_);
  std::erase_if(shared_, [](const auto& entry) { return entry.second.stack.expired(); });
  auto& [weak_stack, weak_view] = shared_[{at.layers.front().id, at.checked}];
  Shared image{at.repository.id,
               weak_stack.lock(),
               weak_view.lock(),
               std::make_shared<repository::Readers::Open>(readers_, disk.point_id, clock_),
               {}};
  if (!image.stack) {
    HF_TRY(const auto place, shelf_.place(at.repository));
    HF_TRY(image.stack, place->open_stack(at.machine_key, at.layers, at.checked));
    weak_stack = image.stack;
  }
  if (!image.view && form == ImageForm::qcow2) {
    if (!disk.qcow2_bytes) return fail(ENOENT, "the flat image of '{}' is of unknown size", disk.name);
    HF_TRY(image.view, image::FlatView::open(image.stack, *disk.qcow2_bytes));
    weak_view = image.view;
  }
  return image;
}

std::string LiveEngine::detour_to(Id repository, const std::string& why) {
  const auto name = catalog_->read([&](db::Connection& db) { return Repositories(db).name_of(repository); });
  return fmt::format("read from repositories/{}: {}", name.value_or("?"), why);
}

// Opening is in the log whatever comes of it (law 15).
Result<std::shared_ptr<OpenedImage>> LiveEngine::open_image(Id point_disk, ImageForm form,
                                                            const Caller& caller) {
  HF_TRY(PointDisk disk, this->point_disk(point_disk));
  auto image = share(disk, form);
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
  if (!image->detour.empty())
    tell_of_image(point_disk, "image.failover", EventResult::ok, image->detour, caller);
  return std::make_shared<PointImage>(*this, std::move(disk), form, caller, *std::move(image));
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

void LiveEngine::tell_of_image(Id point_disk, std::string_view word, EventResult result,
                               const std::string& reason, const Caller& caller) {
  const auto told = catalog_->write([&](db::Connection& db) -> Result<> {
    HF_TRY(std::string path, path_of(db, ObjectKind::point_disk, point_disk));
    Event event = make_event(clock_, word, std::move(path), caller);
    event.result = result;
    event.reason = reason;
    return record(db, event);
  });
  if (!told) log::error("{}; that can't be recorded: {}", reason, told.error().message);
}

}  // namespace holdfast
