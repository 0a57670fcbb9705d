#include "engine/repair/repair.h"

#include <algorithm>

#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/repair/mend_layer.h"
#include "engine/repair/twins.h"
#include "engine/repository/readers.h"
#include "engine/repository/writable.h"
#include "engine/verify/layer_check.h"

namespace holdfast::repair {
namespace {

using repository::Place;

// A disk of a point, or of its copy, that rests on the layer.
struct Resting {
  std::string point, disk;
  std::vector<Layer> stack;
};

class Repair {
 public:
  Repair(const capture::Services& services, ProgressMeter& progress, const source::Cancel& cancel)
      : services_(services), progress_(progress), cancel_(cancel) {}

  Result<RepairOutcome> run(const verify::Wanted& wanted) {
    HF_TRY(outcome_.found,
           verify::verify_points(services_, wanted, VerifyLevel::checksums, progress_, cancel_));
    outcome_.damaged_layers = outcome_.found.damaged_layers.size();
    outcome_.damaged_points = outcome_.found.damaged_points;
    std::ranges::copy(outcome_.found.away, std::back_inserter(outcome_.hindered));
    // While the count of commits is damaged, nothing else may be written.
    std::ranges::stable_partition(outcome_.found.documents, [](const verify::Misfit& misfit) {
      return misfit.kind == verify::Misfit::Kind::sequence;
    });
    for (const verify::Misfit& misfit : outcome_.found.documents) HF_CHECK(write_anew(misfit));
    for (const verify::DamagedLayer& damaged : outcome_.found.damaged_layers) HF_CHECK(heal(damaged));
    if (outcome_.damaged_layers == 0) return std::move(outcome_);
    HF_TRY(const auto after, verify::verify_points(services_, outcome_.found.harmed, VerifyLevel::checksums,
                                                   progress_, cancel_));
    outcome_.damaged_points = after.damaged_points;
    return std::move(outcome_);
  }

 private:
  image::Watch watch() {
    return [this](std::uint64_t) -> Result<> {
      progress_.move();
      if (cancel_.requested()) return fail(ECANCELED, "cancelled");
      return {};
    };
  }

  // Returns nullptr, and notes why, if nothing may be written there.
  using FindPlace = decltype(&repository::writable_place);
  Result<std::shared_ptr<Place>> place_of(Id repository, FindPlace find = repository::writable_place) {
    HF_TRY(const Repository row,
           services_.catalog.read([&](db::Connection& db) { return Repositories(db).get(repository); }));
    const auto place = find(services_, row, "repaired");
    if (!place) hinder(place.error().message);
    return place.value_or(nullptr);
  }

  void hinder(const std::string& sentence) {
    if (std::ranges::find(outcome_.hindered, sentence) == outcome_.hindered.end())
      outcome_.hindered.push_back(sentence);
  }

  // Returns whether the layer is still there as it was, while nothing prunes its machine.
  Result<bool> is_still(const verify::DamagedLayer& damaged) {
    const auto now =
        services_.catalog.read([&](db::Connection& db) { return Points(db).layer(damaged.stored.layer.id); });
    if (!now && now.error().code == ENOENT) return false;
    HF_CHECK(now);
    return now->image_id == damaged.stored.layer.image_id && now->merging_image_id.empty();
  }

  Result<> heal(const verify::DamagedLayer& damaged) {
    HF_TRY(const auto place, place_of(damaged.repository));
    if (!place) return {};
    const auto studied = services_.readers.study(damaged.machine, [this] { return cancel_.requested(); });
    if (!studied) return fail(ECANCELED, "cancelled");
    const MutexLock lock(place->mending());
    HF_TRY(const bool still, is_still(damaged));
    if (!still) return {};
    HF_TRY(const auto resting, resting_on(damaged));
    const std::string object = resting.empty() ? "" : resting.front().point;
    HF_TRY(const Twins twins, find_twins(services_, place, damaged));
    const auto mended = mend_layer(*place, damaged.stored, twins, watch());
    if (!mended && mended.error().code == ECANCELED) return tl::make_unexpected(mended.error());
    const bool whole = mended && verify::check_every_byte(*place, damaged.stored, watch()).has_value();
    if (cancel_.requested()) return fail(ECANCELED, "cancelled");
    if (mended) outcome_.healed_bytes += mended->healed;
    if (whole) {
      ++outcome_.healed_layers;
      outcome_.healed.push_back(
          {object, Place::paths_of(damaged.stored.machine_key, damaged.stored.layer).image});
      return {};
    }
    if (!mended) hinder(fmt::format("{}: {}", object, mended.error().message));
    for (const std::string& sentence : twins.away) hinder(sentence);
    name_lost(*place, damaged, resting, mended ? mended->lost : std::vector<image::HostRange>{});
    return {};
  }

  Result<std::vector<Resting>> resting_on(const verify::DamagedLayer& damaged) {
    return services_.catalog.read([&](db::Connection& db) -> Result<std::vector<Resting>> {
      std::vector<Resting> all;
      const auto add = [&](Id point_id, Id disk_id, Id layer_id) -> Result<> {
        HF_TRY(auto stack, Points(db).stack(layer_id));
        if (std::ranges::find(stack, damaged.stored.layer.id, &Layer::id) == stack.end()) return {};
        HF_TRY(const Point point, Points(db).get(point_id));
        HF_TRY(const std::string machine, Machines(db).name_of(point.machine_id));
        const auto disk = std::ranges::find(point.disks, disk_id, &PointDisk::disk_id);
        all.push_back({fmt::format("machines/{}/points/{}", machine, point.name),
                       disk == point.disks.end() ? "" : disk->name, std::move(stack)});
        return {};
      };
      for (const Id id : outcome_.found.harmed.points) {
        HF_TRY(const Point point, Points(db).get(id));
        for (const PointDisk& disk : point.disks) HF_CHECK(add(id, disk.disk_id, disk.layer_id));
      }
      for (const Id id : outcome_.found.harmed.copies) {
        HF_TRY(const Copy copy, Copies(db).get(id));
        for (const CopyDisk& disk : copy.disks) HF_CHECK(add(copy.point_id, disk.disk_id, disk.layer_id));
      }
      return all;
    });
  }

  void name_lost(const Place& place, const verify::DamagedLayer& damaged, const std::vector<Resting>& resting,
                 const std::vector<image::HostRange>& lost) {
    const std::string file = Place::paths_of(damaged.stored.machine_key, damaged.stored.layer).image;
    for (const Resting& one : resting) {
      const auto ranges = ranges_of(place, damaged, one, lost);
      if (ranges && ranges->empty()) continue;  // newer layers of this point have all of it
      outcome_.lost.push_back({one.point, one.disk, ranges.value_or(std::vector<image::DiskRange>{}), file});
    }
  }

  // Reads the tables without checks, because the checks fail: only names come of it.
  static std::optional<std::vector<image::DiskRange>> ranges_of(const Place& place,
                                                                const verify::DamagedLayer& damaged,
                                                                const Resting& resting,
                                                                const std::vector<image::HostRange>& lost) {
    if (lost.empty()) return std::nullopt;
    const auto stack = place.open_stack(damaged.stored.machine_key, resting.stack, /*checked=*/false);
    if (!stack) return std::nullopt;
    const auto its = std::ranges::find(resting.stack, damaged.stored.layer.id, &Layer::id);
    auto found = image::shown_from({*stack, static_cast<std::size_t>(its - resting.stack.begin())}, lost);
    return found ? *std::move(found) : std::nullopt;
  }

  Result<> write_anew(const verify::Misfit& misfit) {
    const bool is_count = misfit.kind == verify::Misfit::Kind::sequence;
    HF_TRY(const auto place,
           place_of(misfit.repository, is_count ? repository::leased_place : repository::writable_place));
    if (!place) return {};
    const bool has_all =
        std::ranges::find(outcome_.found.damaged_layers, misfit.repository,
                          &verify::DamagedLayer::repository) == outcome_.found.damaged_layers.end();
    const auto renewed = verify::renew(services_.catalog, *place, misfit, has_all);
    if (renewed)
      outcome_.documents.push_back({misfit.object, misfit.file});
    else
      hinder(fmt::format("{}: {}", misfit.object.empty() ? misfit.file : misfit.object,
                         renewed.error().message));
    return {};
  }

  const capture::Services& services_;
  ProgressMeter& progress_;
  const source::Cancel& cancel_;
  RepairOutcome outcome_;
};

}  // namespace

Result<RepairOutcome> repair(const capture::Services& services, const verify::Wanted& wanted,
                             ProgressMeter& progress, const source::Cancel& cancel) {
  return Repair(services, progress, cancel).run(wanted);
}

}  // namespace holdfast::repair
