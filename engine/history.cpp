// What came of machines and flows: points by their time, chains, differences, logs, and everything in one go.
#include <algorithm>

#include "catalog/stores/flows.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/image/difference.h"
#include "engine/live_engine.h"
#include "engine/repository/documents.h"

namespace holdfast {
namespace {

// More extents of a disk nobody reads; they are counted.
constexpr std::size_t kMostExtents = 100'000;
// So much is compared between two looks at whether somebody still waits for it.
constexpr std::uint64_t kComparedAtOnce = 16 * kMiB;

const PointDisk* disk_of(const Point& point, const std::string& name) {
  const auto found = std::ranges::find(point.disks, name, &PointDisk::name);
  return found == point.disks.end() ? nullptr : &*found;
}

// Extents in their order, neighbours joined.
class Collected {
 public:
  explicit Collected(DifferenceView::OfDisk& into) : into_(into) {}

  void add(std::uint64_t offset, std::uint64_t length) {
    into_.bytes += length;
    const bool joins = into_.count > 0 && offset == end_;
    end_ = offset + length;
    if (joins && into_.count > into_.extents.size()) return;
    if (joins) {
      into_.extents.back().length += length;
      return;
    }
    ++into_.count;
    if (into_.extents.size() < kMostExtents) into_.extents.push_back({offset, length});
  }

 private:
  DifferenceView::OfDisk& into_;
  std::uint64_t end_ = 0;
};

Result<> collect(const image::Stack& from, const image::Stack& to, const Engine::GaveUp& gave_up,
                 Collected& differences) {
  const std::uint64_t end = std::max(from.size(), to.size());
  for (std::uint64_t at = 0; at < end;) {
    if (gave_up()) return fail(EINTR, "nobody waits for it any more");
    HF_TRY(const auto extent,
           image::difference(from, to, at, std::min(kComparedAtOnce, end - at), image::Compare::contents));
    if (extent.differs) differences.add(extent.offset, extent.length);
    at = extent.offset + extent.length;
  }
  return {};
}

// A page of a store: the views of the objects after one.
template <class Store, class View>
auto page(Catalog& catalog, Id after, int at_most, View view)
    -> Result<std::vector<typename std::invoke_result_t<View, db::Connection&, Id>::value_type>> {
  using Value = typename std::invoke_result_t<View, db::Connection&, Id>::value_type;
  return catalog.read([&](db::Connection& db) -> Result<std::vector<Value>> {
    std::vector<Value> views;
    HF_TRY(const auto ids, Store(db).after(after, at_most));
    for (const Id id : ids) {
      HF_TRY(Value one, view(db, id));
      views.push_back(std::move(one));
    }
    return views;
  });
}

}  // namespace

Result<ChainView> LiveEngine::chain(Id id) {
  return catalog_->read([&](db::Connection& db) -> Result<ChainView> {
    Points points(db);
    ChainView view;
    HF_TRY(view.chain, points.chain(id));
    HF_TRY(view.machine, Machines(db).name_of(view.chain.machine_id));
    HF_TRY(view.repository, Repositories(db).name_of(view.chain.repository_id));
    HF_TRY(view.points, points.of_chain(id));
    HF_TRY(view.layers, points.layers_of(id));
    HF_TRY(const Machine machine, Machines(db).get(view.chain.machine_id));
    view.revision = machine.revision;
    return view;
  });
}

Result<std::string> LiveEngine::restore_text(Id id) {
  HF_TRY(const PointView view, point(id));
  return repository::restore_text(
      view.point, {.machine = view.machine, .repository = view.repository, .parent = view.parent});
}

Result<Named> LiveEngine::point_at(Id machine, Time when) {
  return catalog_->read([&](db::Connection& db) -> Result<Named> {
    HF_TRY(auto found, Points(db).newest_good(machine, when));
    if (found) return std::move(*found);
    HF_TRY(const std::string name, Machines(db).name_of(machine));
    return fail(ENOENT, "machine '{}' has no good point that is not later than {}", name, iso_time(when));
  });
}

Result<DifferenceView> LiveEngine::difference(Id from, Id to, const GaveUp& gave_up) {
  HF_TRY(const PointView before, point(from));
  HF_TRY(const PointView after, point(to));
  if (before.point.machine_id != after.point.machine_id)
    return fail(EINVAL, "{} and {} are points of different machines", before.point.name, after.point.name);
  DifferenceView view{
      .machine = before.machine, .from = before.point.name, .to = after.point.name, .disks = {}};
  for (const PointDisk& disk : before.point.disks)
    view.disks.push_back(
        {.name = disk.name, .from_capacity = disk.capacity, .to_capacity = {}, .extents = {}});
  for (const PointDisk& disk : after.point.disks) {
    auto known = std::ranges::find(view.disks, disk.name, &DifferenceView::OfDisk::name);
    if (known == view.disks.end()) {
      view.disks.push_back({.name = disk.name, .from_capacity = {}, .to_capacity = {}, .extents = {}});
      known = std::prev(view.disks.end());
    }
    known->to_capacity = disk.capacity;
  }
  for (DifferenceView::OfDisk& disk : view.disks) {
    Collected differences(disk);
    if (!disk.from_capacity || !disk.to_capacity) {
      // A disk that only one of them has differs as a whole.
      if (const auto size = disk.from_capacity.value_or(disk.to_capacity.value_or(0)); size > 0)
        differences.add(0, size);
      continue;
    }
    HF_TRY(const Shared a, share(*disk_of(before.point, disk.name), ImageForm::raw));
    HF_TRY(const Shared b, share(*disk_of(after.point, disk.name), ImageForm::raw));
    HF_CHECK(collect(*a.stack, *b.stack, gave_up, differences));
  }
  return view;
}

Result<std::vector<Named>> LiveEngine::points_of_execution(Id execution) {
  return catalog_->read([&](db::Connection& db) -> Result<std::vector<Named>> {
    std::vector<Named> made;
    HF_TRY(const auto points, Points(db).of_execution(execution));
    for (const Point& point : points) {
      HF_TRY(std::string machine, Machines(db).name_of(point.machine_id));
      made.push_back({point.id, std::move(machine)});
    }
    return made;
  });
}

Result<std::vector<LogLine>> LiveEngine::log(ObjectKind kind, Id id, Id after, int at_most) {
  return catalog_->read([&](db::Connection& db) -> Result<std::vector<LogLine>> {
    Logs logs(db);
    HF_TRY(const auto found,
           kind == ObjectKind::job ? logs.of_job(id, after, at_most) : logs.of_execution(id, after, at_most));
    std::vector<LogLine> lines;
    for (const Logs::Line& line : found) lines.push_back({line.id, line.at, line.machine, line.text});
    return lines;
  });
}

Result<std::vector<MachineView>> LiveEngine::machines_after(Id after, int at_most) {
  return page<Machines>(*catalog_, after, at_most, [now = clock_.now()](db::Connection& db, Id id) {
    return view_machine(db, id, now);
  });
}

Result<std::vector<FlowView>> LiveEngine::flows_after(Id after, int at_most) {
  return page<Flows>(*catalog_, after, at_most,
                     [this](db::Connection& db, Id id) { return view_flow(db, id, clock_.now()); });
}

Result<std::vector<PointView>> LiveEngine::points_after(Id after, int at_most) {
  const Time now = clock_.now();
  return page<Points>(*catalog_, after, at_most,
                      [now](db::Connection& db, Id id) { return view_point(db, id, now); });
}

}  // namespace holdfast
