#include "engine/capture/parent.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "catalog/base/periods.h"
#include "catalog/stores/points.h"

namespace holdfast::capture {
namespace {

bool is_another(CalendarPeriod period, Time then, Time now) {
  switch (period) {
    case CalendarPeriod::day: return day_of(then) != day_of(now);
    case CalendarPeriod::week: return week_of(then) != week_of(now);
    case CalendarPeriod::month: return month_of(then) != month_of(now);
    case CalendarPeriod::year: return year_of(then) != year_of(now);
  }
  return false;
}

bool is_over(const Chain& chain, const FullEvery& every, Time now) {
  if (const auto* points = std::get_if<int>(&every)) return chain.points_made >= *points;
  if (const auto* period = std::get_if<CalendarPeriod>(&every))
    return is_another(*period, chain.created_at, now);
  // A run that is a little early, or followed a late one, must not delay its full by a whole period.
  constexpr std::chrono::seconds kSlack = std::chrono::hours{1};
  const auto span = std::get<std::chrono::seconds>(every);
  return now - chain.created_at >= span - std::min(kSlack, span / 10);
}

// Returns a reason that makes the whole point a full, whatever its disks say.
std::optional<FullReason> reason_for_all(const std::optional<Point>& parent, const Repository& repository,
                                         std::optional<PointKind> wanted) {
  if (!parent) return FullReason::no_parent;
  if (wanted == PointKind::full) return FullReason::requested;
  if (parent->cbt_reset) return FullReason::cbt_reset;
  if (parent->cluster_size != repository.definition.cluster_size ||
      parent->compression != repository.definition.compression)
    return FullReason::layout_changed;
  if (parent->verified && parent->verified->result == VerdictResult::bad) return FullReason::parent_damaged;
  return std::nullopt;
}

// Returns the reason that damage of the parent is. Any other error is returned as it is: it says nothing of
// the parent, and neither does an absent repository.
Result<FullReason> reason_of(const Error& error, const repository::Place& place) {
  if (!error.damage) return within(error, "the parent can't be read");
  HF_CHECK(place.check());
  return error.code == ENOENT ? FullReason::parent_missing : FullReason::parent_damaged;
}

// Returns why the images can't be relied on; nullopt if they can be.
Result<std::optional<FullReason>> try_open(const repository::Place& place, const Machine& machine,
                                           const std::vector<Layer>& layers) {
  const auto stack = place.open_stack(machine.key, layers);
  if (stack) return std::nullopt;
  return reason_of(stack.error(), place);
}

}  // namespace

Result<tl::expected<image::ContentReader, FullReason>> open_content(const repository::Place& place,
                                                                    const Machine& machine,
                                                                    const Point& point,
                                                                    const ParentDisk& parent) {
  if (parent.disk.content_sha256.empty()) return tl::make_unexpected(FullReason::no_change_id);
  const Layer& layer = parent.layers.front();
  const image::ContentShape shape{.cluster_size = static_cast<std::uint32_t>(point.cluster_size),
                                  .disk_size = parent.disk.capacity,
                                  .id = image::id_of(layer.image_id).value_or(image::ImageId{})};
  auto content = place.open_content(machine.key, layer, shape, parent.disk.content_sha256);
  if (content) return std::move(*content);
  HF_TRY(const FullReason reason, reason_of(content.error(), place));
  log::warning("machine '{}', disk {}: {}", machine.name, parent.disk.name, content.error().message);
  return tl::make_unexpected(reason);
}

Result<Parent> choose_parent(const Services& services, const repository::Place& place, const Machine& machine,
                             const Repository& repository, const Wish& wish) {
  Parent parent;
  HF_CHECK(services.catalog.read([&](db::Connection& db) -> Result<> {
    Points points(db);
    HF_TRY(parent.point, points.newest(machine.id, repository.id));
    auto for_all = reason_for_all(parent.point, repository, wish.kind);
    if (!for_all && !wish.kind && wish.full_every) {
      HF_TRY(const Chain chain, points.chain(parent.point->chain_id));
      if (is_over(chain, *wish.full_every, services.clock.now())) for_all = FullReason::by_policy;
    }
    for (const DiskDefinition& disk : machine.definition.disks) {
      if (for_all) {
        parent.reasons[disk.name] = *for_all;
        continue;
      }
      const auto found = std::ranges::find(parent.point->disks, disk.name, &PointDisk::name);
      if (found == parent.point->disks.end()) {
        parent.reasons[disk.name] = FullReason::disk_changed;
        continue;
      }
      if (found->change_id.empty() && found->content_sha256.empty()) {
        parent.reasons[disk.name] = FullReason::no_change_id;
        continue;
      }
      HF_TRY(auto layers, points.stack(found->layer_id));
      parent.usable[disk.name] = {*found, std::move(layers)};
    }
    return {};
  }));
  // The repository may hang, so it is asked outside of the transaction.
  for (auto disk = parent.usable.begin(); disk != parent.usable.end();) {
    HF_TRY(const auto problem, try_open(place, machine, disk->second.layers));
    if (problem) parent.reasons[disk->first] = *problem;
    disk = problem ? parent.usable.erase(disk) : std::next(disk);
  }
  return parent;
}

}  // namespace holdfast::capture
