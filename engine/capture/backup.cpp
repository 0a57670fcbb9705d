#include "engine/capture/backup.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "catalog/base/log.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/settings_store.h"
#include "engine/capture/catalog_ledger.h"
#include "engine/capture/disk_image.h"
#include "engine/capture/governed_reader.h"
#include "engine/capture/last_bitmaps.h"
#include "engine/capture/parent.h"
#include "engine/capture/recovery.h"
#include "engine/capture/retrying_reader.h"
#include "engine/capture/transfer.h"
#include "engine/common/audit.h"
#include "engine/image/flat_view.h"
#include "engine/image/largest_disk.h"
#include "engine/repository/draft.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/sources/drivers.h"

namespace holdfast::capture {
namespace {

image::Codec codec_of(Compression compression) {
  switch (compression) {
    case Compression::zstd: return image::Codec::zstd;
    case Compression::deflate: return image::Codec::deflate;
    case Compression::none: return image::Codec::none;
  }
  return image::Codec::none;
}

constexpr std::array kUnreachable{ENOENT,      ECONNREFUSED, ECONNRESET, ECONNABORTED,
                                  EPIPE,       ENOTCONN,     ETIMEDOUT,  EHOSTUNREACH,
                                  ENETUNREACH, EHOSTDOWN,    ENETDOWN,   EADDRNOTAVAIL};

// Turns the error of an unreachable source into EHOSTUNREACH, with the same sentence.
template <class T>
Result<T> of_source(Result<T> result) {
  if (!result && std::ranges::find(kUnreachable, result.error().code) != kUnreachable.end())
    result.error().code = EHOSTUNREACH;
  return result;
}

// One backup in progress. Its steps are called in the order in which they are defined.
class Backup {
 public:
  Backup(const Services& services, const CaptureRequest& request, ProgressMeter& progress,
         const source::Cancel& cancel)
      : services_(services), request_(request), progress_(progress), cancel_(cancel) {
    throttle_->set_rate(request.bandwidth);
  }

  Result<CaptureOutcome> run() {
    HF_CHECK(load());
    HF_CHECK(of_source(recover(services_, request_.machine, request_.repository)));
    HF_CHECK(add_point());
    auto done = make_point();
    if (!done) {
      give_back();
      return tl::make_unexpected(done.error());
    }
    // The point is committed. Later failures stay recorded and are swept.
    for (const auto& released : {capture_->commit(), ledger_->settle()}) {
      if (released) continue;
      add_remark(released.error().message);
      log::warning("machine '{}': {}", machine_.name, released.error().message);
      services_.left_behind.add(machine_.id);
    }
    return std::move(outcome_);
  }

 private:
  Result<> load() {
    HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
      HF_TRY(machine_, Machines(db).get(request_.machine));
      HF_TRY(repository_, Repositories(db).get(request_.repository));
      HF_TRY(disk_rows_, Machines(db).disks(request_.machine));
      HF_TRY(const Settings settings, SettingsStore(db).get());
      settings_ = settings.definition;
      return {};
    }));
    if (!machine_.complete && !request_.imported)
      return fail(EINVAL, "machine '{}' has no definition yet; write its config.json", machine_.name);
    if (repository_.definition.read_only)
      return fail(EROFS, "repository '{}' is read-only", repository_.name);
    auto place = services_.shelf.place(repository_);
    if (!place) return fail(ENOMEDIUM, "{}", place.error().message);
    place_ = *std::move(place);
    HF_CHECK(repository::claim(services_.catalog, *place_, repository_));
    if (request_.imported)
      return services_.catalog.read(
          [&](db::Connection& db) { return check_first_point(db, machine_.id, repository_.id); });
    HF_TRY(parent_, choose_parent(services_, *place_, machine_, repository_,
                                  {.kind = request_.kind, .full_every = request_.full_every}));
    return {};
  }

  Result<> add_point() {
    Point& point = outcome_.point;
    point.id = new_id();
    point.machine_id = machine_.id;
    point.repository_id = repository_.id;
    point.execution_id = request_.execution_id;
    point.job_id = request_.job;
    point.flow = request_.flow;
    point.execution = request_.execution;
    point.name = fmt::format("writing-{}", point.id);
    point.time = services_.clock.now();
    point.cluster_size = repository_.definition.cluster_size;
    point.compression = repository_.definition.compression;
    HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(Points(db).add(point));
      HF_TRY(const Point added, Points(db).get(point.id));
      point.flow_id = added.flow_id;
      if (!request_.imported) return {};
      HF_CHECK(Machines(db).add_disk(machine_.id, request_.imported->disk));
      HF_TRY(disk_rows_, Machines(db).disks(machine_.id));
      return {};
    }));
    ledger_.emplace(services_.catalog, machine_.id, point.id, machine_.definition.driver);
    return {};
  }

  Result<> make_point() {
    HF_CHECK(freeze());
    for (bool whole = false; !whole;) {
      progress_.move();
      settle_kinds();
      HF_CHECK(name_point());
      HF_TRY(whole, write_disks());
      if (!whole) HF_CHECK(begin_anew());
    }
    HF_TRY(outcome_.point.manifest_sha256, publish());
    return commit();
  }

  Result<> freeze() {
    if (request_.imported) {
      HF_TRY(capture_, capture_image(*request_.imported, services_.clock.now()));
    } else {
      HF_CHECK(freeze_source());
    }
    for (const source::FrozenDisk& frozen : capture_->disks()) {
      if (frozen.capacity > image::kLargestDisk)
        return fail(EINVAL, "disk {}: the source claims a disk of {} bytes; at most {} are read", frozen.name,
                    frozen.capacity, image::kLargestDisk);
      if (!frozen.remark.empty()) add_remark(fmt::format("disk {}: {}", frozen.name, frozen.remark));
      if (frozen.by_content && !frozen.full_reason) HF_CHECK(find_content(frozen.name));
    }
    return {};
  }

  void add_remark(const std::string& sentence) {
    outcome_.remark += (outcome_.remark.empty() ? "" : "; ") + sentence;
  }

  // Opens the parent's content sums of a disk found by content. Without them the disk is read as if it had no
  // parent.
  Result<> find_content(const std::string& disk) {
    const auto usable = parent_.usable.find(disk);
    if (usable == parent_.usable.end()) return {};
    HF_TRY(auto content, open_content(*place_, machine_, *parent_.point, usable->second));
    if (content)
      contents_.emplace(disk, std::move(*content));
    else
      parent_.reasons[disk] = content.error();
    return {};
  }

  Result<> freeze_source() {
    source::PrepareRequest prepare{.machine = machine_.definition,
                                   .repository_marker = repository_.marker,
                                   .scratch = services_.scratch,
                                   .scratch_reserve = settings_.scratch_reserve,
                                   .cancel = &cancel_};
    for (const DiskDefinition& disk : machine_.definition.disks) {
      source::DiskRequest wanted{disk};
      if (const auto usable = parent_.usable.find(disk.name); usable != parent_.usable.end()) {
        wanted.since = usable->second.disk.change_id;
        wanted.last_capacity = usable->second.disk.capacity;
        wanted.last_identity = usable->second.disk.source_identity;
      }
      if (parent_.point)
        for (const PointDisk& before : parent_.point->disks)
          if (before.name == disk.name) wanted.supersedes = before.change_id;
      prepare.disks.push_back(std::move(wanted));
    }
    HF_TRY(source::Driver * driver, source::driver_for(machine_.definition.driver));
    HF_TRY(capture_, of_source(driver->prepare(prepare, *ledger_)));
    return {};
  }

  // Decides which disks rest on the parent, and records why the others don't.
  void settle_kinds() {
    Point& point = outcome_.point;
    point.kind = PointKind::full;
    point.parent_point_id.reset();
    point.full_reason.reset();
    outcome_.unplanned_full.reset();
    point.disks.clear();
    for (const source::FrozenDisk& frozen : capture_->disks()) {
      PointDisk disk;
      disk.id = new_id();
      disk.point_id = point.id;
      disk.disk_id = std::ranges::find(disk_rows_, frozen.name, &Disk::name)->id;
      disk.name = frozen.name;
      disk.capacity = frozen.capacity;
      disk.change_id = frozen.change_id;
      if (const auto reason = parent_.reasons.find(frozen.name); reason != parent_.reasons.end())
        disk.full_reason = reason->second;
      else
        disk.full_reason = frozen.full_reason;
      disk.kind = disk.full_reason ? PointKind::full : PointKind::incremental;
      disk.read_everything = disk.full_reason || (frozen.by_content && !frozen.trusts_bitmap);
      disk.source_identity = frozen.identity;
      if (!disk.full_reason) point.kind = PointKind::incremental;
      note_reason(disk);
      point.disks.push_back(std::move(disk));
    }
    if (point.kind == PointKind::incremental) point.parent_point_id = parent_.point->id;
    point.consistency = capture_->consistency();
  }

  // The first unplanned reason becomes the point's; without one, the first reason (law 5).
  void note_reason(const PointDisk& disk) {
    if (!disk.full_reason) return;
    Point& point = outcome_.point;
    const bool unplanned = !is_planned(*disk.full_reason) || request_.kind == PointKind::incremental;
    if (!point.full_reason || (unplanned && !outcome_.unplanned_full)) point.full_reason = disk.full_reason;
    if (unplanned && !outcome_.unplanned_full) outcome_.unplanned_full = disk.full_reason;
  }

  Result<> name_point() {
    Point& point = outcome_.point;
    point.time = capture_->frozen_at();
    HF_TRY(const auto stored, names_in_repository());
    return services_.catalog.write([&](db::Connection& db) -> Result<> {
      Points points(db);
      if (point.kind == PointKind::incremental) {
        point.chain_id = parent_.point->chain_id;
      } else {
        point.chain_id = new_id();
        HF_CHECK(points.add_chain({point.chain_id, machine_.id, repository_.id, services_.clock.now()}));
      }
      HF_CHECK(Jobs(db).set_chain(request_.job, point.chain_id));
      HF_TRY(point.name, free_name(points, stored));
      HF_CHECK(points.freeze(point.id, point.time, point.name, point.chain_id));
      const std::string rests =
          point.kind == PointKind::full
              ? fmt::format("full: {}", to_word(point.full_reason.value_or(FullReason::no_parent)))
              : "incremental on " + parent_.point->name;
      return tell(db, fmt::format("frozen as point {}, {}, consistency {}", point.name, rests,
                                  to_word(point.consistency)));
    });
  }

  // Adds a line to the job's log.
  Result<> tell(db::Connection& db, std::string_view text) {
    Job job;
    job.id = request_.job;
    job.execution_id = request_.execution_id;
    return Logs(db).add(job, services_.clock.now(), text);
  }

  // Returns the names of the machine's points there. The catalog may not know all of them.
  Result<std::set<std::string>> names_in_repository() const {
    std::set<std::string> names;
    HF_TRY(const bool there, place_->directory().exists(machine_.key));
    if (!there) return names;
    HF_TRY(const auto entries, place_->directory().list(machine_.key));
    for (const auto& entry : entries) names.insert(entry.name);
    return names;
  }

  // Returns TIME, or TIME-2, TIME-3 … if a point of that second exists.
  Result<std::string> free_name(Points& points, const std::set<std::string>& stored) const {
    const std::string time = holdfast::point_name(outcome_.point.time);
    for (int n = 1;; ++n) {
      std::string name = n == 1 ? time : fmt::format("{}-{}", time, n);
      HF_TRY(const auto taken, points.find(machine_.id, name));
      if (!taken && !stored.contains(name)) return name;
    }
  }

  // Returns false if a disk can't be an increment after all; the written bytes are worthless then.
  Result<bool> write_disks() {
    Point& point = outcome_.point;
    HF_TRY(auto draft, repository::Draft::create(place_, machine_.key, point.name));
    draft_.emplace(std::move(draft));

    std::vector<std::unique_ptr<source::DiskReader>> readers;
    for (std::size_t i = 0; i < point.disks.size(); ++i) {
      HF_TRY(auto reader, open_disk(i));
      HF_CHECK(expect_bytes(*reader, plan_for(point.disks[i]), progress_, cancel_));
      readers.push_back(std::move(reader));
    }
    for (std::size_t i = 0; i < point.disks.size(); ++i) {
      HF_TRY(const bool whole, write_disk(point.disks[i], capture_->disks()[i], *readers[i]));
      if (!whole) {
        parent_.reasons[point.disks[i].name] = FullReason::cbt_lied;
        return false;
      }
      readers[i].reset();
    }
    progress_.expect_no_more();  // a source that isn't frozen may have more or less than announced
    return true;
  }

  // Discards the bytes written so far. The source stays frozen.
  Result<> begin_anew() {
    draft_.reset();
    layers_.clear();
    outcome_.point.bytes_stored = 0;
    progress_.expect_no_more();
    return place_->discard(machine_.key, outcome_.point.name, repository::Place::Publisher::this_life);
  }

  Result<std::unique_ptr<source::DiskReader>> open_disk(std::size_t index) {
    HF_TRY(auto reader, capture_->open(index));
    reader = std::make_unique<RetryingReader>(std::move(reader), Retries{}, &cancel_);
    std::vector throttles{services_.throttles.of(repository_.id, repository_.definition.bandwidth),
                          services_.throttles.of(machine_.id, machine_.definition.bandwidth), throttle_};
    return std::make_unique<GovernedReader>(std::move(reader), std::move(throttles), [this] {
      return place_->check_room(repository_.definition.reserve_percent);
    });
  }

  TransferPlan plan_for(const PointDisk& disk) const {
    return {.capacity = disk.capacity,
            .cluster_size = static_cast<std::uint32_t>(outcome_.point.cluster_size),
            .incremental = disk.kind == PointKind::incremental};
  }

  Result<bool> write_disk(PointDisk& disk, const source::FrozenDisk& frozen, source::DiskReader& reader) {
    const image::ImageId image_id = image::new_image_id();
    Layer layer;
    layer.id = new_id();
    layer.chain_id = outcome_.point.chain_id;
    layer.disk_id = disk.disk_id;
    layer.file = outcome_.point.name + "/" + disk.name + ".qcow2";
    layer.image_id = image::hex(image_id);

    image::WriterOptions options;
    options.virtual_size = disk.capacity;
    options.cluster_size = static_cast<std::uint32_t>(outcome_.point.cluster_size);
    options.codec = codec_of(outcome_.point.compression);
    options.level = repository_.definition.compression_level;
    options.id = image_id;
    if (disk.kind == PointKind::incremental) {
      const Layer& below = parent_.usable.at(disk.name).layers.front();
      layer.parent_layer_id = below.id;
      options.backing_file = "../" + below.file;
    }
    const std::optional<unsigned> sample = sample_of(disk, frozen);
    std::shared_ptr<image::Stack> images_before;
    if (sample && !frozen.by_content) {
      HF_TRY(images_before, place_->open_stack(machine_.key, parent_.usable.at(disk.name).layers));
    }
    const DiskImagePlan plan{.name = disk.name,
                             .options = options,
                             .by_content = frozen.by_content,
                             .before = content_before(disk),
                             .sample = sample,
                             .images_before = images_before};
    HF_TRY(const DiskImage written, write_disk_image(*draft_, plan, reader, progress_, cancel_));
    outcome_.bytes_read += written.bytes_read;
    if (written.source_lied) return false;

    layer.file_bytes = written.image.file_bytes;
    disk.layer_id = layer.id;
    disk.bytes_read = written.bytes_read;
    disk.bytes_stored = written.stored_bytes;
    disk.sums_sha256 = written.image.sums_sha256;
    disk.content_sha256 = written.content_sha256;
    outcome_.point.bytes_stored += written.stored_bytes;
    layers_.push_back(std::move(layer));
    return true;
  }

  // Returns the percentage to sample; nullopt for a disk that is read whole. A bitmap that a user manages
  // always gets a sample of data (law 7).
  std::optional<unsigned> sample_of(const PointDisk& disk, const source::FrozenDisk& frozen) const {
    if (disk.kind == PointKind::full || disk.read_everything) return std::nullopt;
    return frozen.trusts_bitmap ? std::max(request_.sample, 1u) : request_.sample;
  }

  const image::ContentReader* content_before(const PointDisk& disk) const {
    const auto found = contents_.find(disk.name);
    return disk.kind == PointKind::incremental && found != contents_.end() ? &found->second : nullptr;
  }

  Result<std::string> publish() {
    if (cancel_.requested()) return fail(ECANCELED, "cancelled");
    for (PointDisk& disk : outcome_.point.disks) {
      progress_.move();
      HF_CHECK(measure(disk));
    }
    const ManifestNames names{.machine = machine_.name,
                              .repository = repository_.name,
                              .parent = outcome_.point.parent_point_id ? parent_.point->name : "",
                              .flow_id = outcome_.point.flow_id};
    HF_TRY(outcome_.point.sequence, repository::take_number(services_.catalog, *place_, repository_.id));
    return draft_->publish(outcome_.point, names, layers_);
  }

  // Computes the sizes that the mount will show, by reading back the new layer and all layers below. This
  // also proves that the chain opens.
  Result<> measure(PointDisk& disk) const {
    std::vector<Layer> stack;
    stack.push_back(*std::ranges::find(layers_, disk.layer_id, &Layer::id));
    stack.front().file = outcome_.point.name + ".partial/" + disk.name + ".qcow2";
    if (disk.kind == PointKind::incremental)
      std::ranges::copy(parent_.usable.at(disk.name).layers, std::back_inserter(stack));
    HF_TRY(const auto image, place_->open_stack(machine_.key, stack));
    for (std::uint64_t at = 0; at < disk.capacity;) {
      HF_TRY(const image::ReadExtent extent, image->extent(at, disk.capacity - at));
      if (extent.kind == image::ReadExtent::Kind::data) disk.bytes_used += extent.length;
      at += extent.length;
    }
    const auto flat = image::FlatView::size_of(*image);
    if (flat) disk.qcow2_bytes = *flat;
    // A disk too large for a qcow2 of this cluster size gets no flat qcow2; its raw image remains.
    if (!flat && flat.error().code != EINVAL) return tl::make_unexpected(flat.error());
    return {};
  }

  Result<> commit() {
    outcome_.point.state = PointState::committed;
    auto committed = services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(Points(db).commit(outcome_.point, layers_));
      for (const PointDisk& disk : outcome_.point.disks) {
        HF_CHECK(Machines(db).set_capacity(disk.disk_id, disk.capacity));
        HF_CHECK(Machines(db).set_source_identity(disk.disk_id, disk.source_identity));
        HF_CHECK(tell(db, fmt::format("disk {}: {} bytes read, {} bytes stored", disk.name,
                                      disk.bytes_read.value_or(0), disk.bytes_stored)));
      }
      HF_CHECK(tell(db, fmt::format("point {} is committed", outcome_.point.name)));
      HF_CHECK(give_up_unwanted(db, machine_));  // the machine may have changed during the run
      Event event = make_event(services_.clock.now(), "point.commit",
                               fmt::format("machines/{}/points/{}", machine_.name, outcome_.point.name), {});
      if (outcome_.point.full_reason) event.reason = to_word(*outcome_.point.full_reason);
      if (!request_.execution.empty())
        event.execution = fmt::format("flows/{}/executions/{}", request_.flow, request_.execution);
      return record(db, event);
    });
    if (!committed) outcome_.point.state = PointState::writing;
    return committed;
  }

  // Removes the point: lets go of the source, removes the bytes, settles the bitmaps, removes the row. What
  // can't be removed now stays recorded and is tried again.
  void give_back() {
    draft_.reset();
    capture_.reset();
    auto settled = ledger_->settle();
    if (settled) settled = recover(services_, machine_.id);
    if (settled) return;
    log::warning("machine '{}': {}; the sweeper tries again", machine_.name, settled.error().message);
    services_.left_behind.add(machine_.id);
  }

  const Services& services_;
  const CaptureRequest& request_;
  ProgressMeter& progress_;
  const source::Cancel& cancel_;

  Machine machine_;
  Repository repository_;
  SettingsDefinition settings_;
  std::vector<Disk> disk_rows_;
  std::shared_ptr<repository::Place> place_;
  Parent parent_;
  std::map<std::string, image::ContentReader> contents_;  // the parent's, by disk
  std::optional<CatalogLedger> ledger_;
  std::unique_ptr<source::Capture> capture_;
  std::optional<repository::Draft> draft_;
  std::vector<Layer> layers_;
  std::shared_ptr<Throttle> throttle_ = std::make_shared<Throttle>();  // this run's own
  CaptureOutcome outcome_;
};

}  // namespace

Result<CaptureOutcome> back_up(const Services& services, const CaptureRequest& request,
                               ProgressMeter& progress, const source::Cancel& cancel) {
  return Backup(services, request, progress, cancel).run();
}

}  // namespace holdfast::capture
