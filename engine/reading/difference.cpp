// Differences: where the disks of two points differ.
#include <algorithm>

#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/image/difference.h"
#include "engine/reading/reading.h"

namespace holdfast {
namespace {

// Number of extents of a disk that a difference lists. Further ones are counted.
constexpr std::size_t kMostExtents = 100'000;
// Bytes compared between two questions whether the caller gave up.
constexpr std::uint64_t kComparedAtOnce = 16 * kMiB;

const PointDisk* disk_of(const Point& point, const std::string& name) {
  const auto found = std::ranges::find(point.disks, name, &PointDisk::name);
  return found == point.disks.end() ? nullptr : &*found;
}

// Collects extents in ascending order and joins neighbours.
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

Result<> collect(const image::Stack& from, const image::Stack& to, const Reading::GaveUp& gave_up,
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

// The two points to compare.
struct Sides {
  std::string machine;
  Point before, after;
};

Result<Sides> sides_of(db::Connection& db, Id from, Id to) {
  Points points(db);
  Sides sides;
  HF_TRY(sides.before, points.get(from));
  HF_TRY(sides.after, points.get(to));
  for (const Point* point : {&sides.before, &sides.after})
    if (point->state == PointState::retired) return fail(ENOENT, "point '{}' has gone", point->name);
  if (sides.before.machine_id != sides.after.machine_id)
    return fail(EINVAL, "{} and {} are points of different machines", sides.before.name, sides.after.name);
  HF_TRY(sides.machine, Machines(db).name_of(sides.before.machine_id));
  return sides;
}

}  // namespace

Result<DifferenceView> Reading::difference(Id from, Id to, const GaveUp& gave_up) {
  HF_TRY(const Sides sides,
         services_.catalog.read([&](db::Connection& db) { return sides_of(db, from, to); }));
  const auto& [machine, before, after] = sides;
  DifferenceView view{.machine = machine, .from = before.name, .to = after.name, .disks = {}};
  for (const PointDisk& disk : before.disks)
    view.disks.push_back(
        {.name = disk.name, .from_capacity = disk.capacity, .to_capacity = {}, .extents = {}});
  for (const PointDisk& disk : after.disks) {
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
      // A disk of only one point differs as a whole.
      if (const auto size = disk.from_capacity.value_or(disk.to_capacity.value_or(0)); size > 0)
        differences.add(0, size);
      continue;
    }
    HF_TRY(const SharedImage a, images_.open(*disk_of(before, disk.name), ImageForm::raw));
    HF_TRY(const SharedImage b, images_.open(*disk_of(after, disk.name), ImageForm::raw));
    HF_CHECK(collect(*a.stack, *b.stack, gave_up, differences));
  }
  return view;
}

}  // namespace holdfast
