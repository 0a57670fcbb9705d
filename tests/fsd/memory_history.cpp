// MemoryEngine: points by their time, differences, pages.
#include <algorithm>

#include "tests/fsd/memory_thing.h"

namespace holdfast::test {

Result<DiskView> MemoryEngine::disk(Id machine, Id id) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(ObjectKind::disk, id));
  DiskView view;
  view.disk = {.id = id, .machine_id = machine, .name = thing->object.name, .capacity = {}};
  return view;
}

Result<Id> MemoryEngine::newest_event() {
  const std::lock_guard lock(mutex_);
  return events_.empty() ? 0 : events_.back().id;
}

Result<ChainView> MemoryEngine::chain(Id) { return fail(ENOENT, "there are no chains here"); }

Result<std::string> MemoryEngine::restore_text(Id id) {
  HF_TRY(const PointView view, point(id));
  return "cp " + view.point.name + "\n";
}

Result<Named> MemoryEngine::point_at(Id machine, Time when) {
  const std::lock_guard lock(mutex_);
  const Thing* best = nullptr;
  for (const Thing* thing : of_kind(ObjectKind::point, machine))
    if (thing->point.time <= when && (best == nullptr || thing->point.time >= best->point.time)) best = thing;
  if (best == nullptr) return fail(ENOENT, "there is no point that early");
  return Named{best->object.id, best->object.name};
}

// A byte is an extent; good enough for small disks.
Result<DifferenceView> MemoryEngine::difference(Id from, Id to, const GaveUp& gave_up) {
  if (gave_up()) return fail(EINTR, "given up");
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* before, get(ObjectKind::point, from));
  HF_TRY(const Thing* after, get(ObjectKind::point, to));
  DifferenceView view{.machine = {}, .from = before->object.name, .to = after->object.name, .disks = {}};
  const std::string& a = of_kind(ObjectKind::point_disk, from).at(0)->content;
  const std::string& b = of_kind(ObjectKind::point_disk, to).at(0)->content;
  DifferenceView::OfDisk disk{.name = before->point.disks.at(0).name,
                              .from_capacity = a.size(),
                              .to_capacity = b.size(),
                              .extents = {}};
  for (std::uint64_t at = 0; at < std::min(a.size(), b.size()); ++at) {
    if (a[at] == b[at]) continue;
    disk.extents.push_back({at, 1});
    ++disk.count;
    ++disk.bytes;
  }
  view.disks.push_back(std::move(disk));
  return view;
}

Result<std::vector<Named>> MemoryEngine::points_of_execution(Id) { return std::vector<Named>{}; }

Result<std::vector<LogLine>> MemoryEngine::log(ObjectKind kind, Id id, Id after, int) {
  const std::lock_guard lock(mutex_);
  HF_TRY(const Thing* thing, get(kind, id));
  std::vector<LogLine> lines;
  if (after < id) lines.push_back({id, thing->object.created_at, "", "begins"});
  return lines;
}

Result<std::vector<MachineView>> MemoryEngine::machines_after(Id after, int at_most) {
  const std::lock_guard lock(mutex_);
  std::vector<MachineView> views;
  for (const Thing* thing : of_kind(ObjectKind::machine, 0)) {
    if (thing->object.id <= after || views.size() == static_cast<std::size_t>(at_most)) continue;
    HF_TRY(MachineView view, machine(thing->object.id));
    views.push_back(std::move(view));
  }
  return views;
}

Result<std::vector<FlowView>> MemoryEngine::flows_after(Id after, int at_most) {
  const std::lock_guard lock(mutex_);
  std::vector<FlowView> views;
  for (const Thing* thing : of_kind(ObjectKind::flow, 0)) {
    if (thing->object.id <= after || views.size() == static_cast<std::size_t>(at_most)) continue;
    HF_TRY(FlowView view, flow(thing->object.id));
    views.push_back(std::move(view));
  }
  return views;
}

Result<std::vector<PointView>> MemoryEngine::points_after(Id, int) { return std::vector<PointView>{}; }

Result<> MemoryEngine::reset_cbt(Id machine, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::machine, machine));
  touch(*thing);
  return {};
}

Result<> MemoryEngine::pin(Id id, const PinRequest& request, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::point, id));
  thing->pins.push_back({.at = clock_.now(), .by = {}, .until = request.until, .why = request.why});
  touch(*thing);
  return {};
}

Result<> MemoryEngine::unpin(Id id, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::point, id));
  if (thing->pins.empty()) return fail(ENOENT, "the point is not pinned");
  thing->pins.clear();
  touch(*thing);
  return {};
}

Result<> MemoryEngine::give_verdict(Id id, const VerdictRequest& request, const Caller&) {
  const std::lock_guard lock(mutex_);
  HF_TRY(Thing * thing, get(ObjectKind::point, id));
  thing->verdicts.push_back(
      {.at = clock_.now(), .result = request.result, .by = request.by, .text = request.text});
  touch(*thing);
  return {};
}

}  // namespace holdfast::test
