#include "engine/replication/replicate.h"

#include <algorithm>
#include <map>
#include <set>

#include "catalog/stores/copies.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/jobs.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/capture/throttle.h"
#include "engine/common/audit.h"
#include "engine/image/merge.h"
#include "engine/replication/carry.h"
#include "engine/replication/carry_plan.h"
#include "engine/replication/remake.h"
#include "engine/repository/draft.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/repository/unfinished_copy.h"
#include "engine/retention/plan.h"
#include "engine/verify/verify.h"

namespace holdfast::replication {
namespace {

using repository::Place;

class Replication {
 public:
  Replication(const capture::Services& services, const ReplicationRequest& request, ProgressMeter& progress,
              const source::Cancel& cancel)
      : services_(services), request_(request), progress_(progress), cancel_(cancel) {}

  Result<ReplicationOutcome> run() {
    HF_CHECK(retention::finish_merges(services_, request_.machine));
    HF_CHECK(load());
    HF_CHECK(remove_damaged());
    HF_CHECK(compare_sides());
    HF_CHECK(forget_stale());
    HF_CHECK(expect());
    for (const Copies::Holding& point : sides_.lacking) {
      const auto carried = carry_point(point);
      if (carried) continue;
      // A device's error concerns one file, so that later points may be whole.
      const bool is_of_the_point = carried.error().damage || carried.error().code == EIO;
      if (!is_of_the_point) return tl::make_unexpected(carried.error());
      HF_CHECK(check_places());
      outcome_.is_damaged |= carried.error().damage;
      outcome_.failures.push_back(carried.error().message);
    }
    return std::move(outcome_);
  }

 private:
  Result<> load() {
    HF_CHECK(services_.catalog.read([&](db::Connection& db) -> Result<> {
      HF_TRY(machine_, Machines(db).get(request_.machine));
      HF_TRY(from_, Repositories(db).get(request_.from));
      HF_TRY(to_, Repositories(db).get(request_.to));
      HF_TRY(flow_, Flows(db).get(request_.flow));
      return {};
    }));
    if (to_.definition.read_only) return fail(EROFS, "repository '{}' is read-only", to_.name);
    HF_TRY(source_, place_of(from_));
    HF_TRY(target_, place_of(to_));
    HF_CHECK(repository::claim(services_.catalog, *target_, to_));
    HF_CHECK(repository::check_known(services_.catalog, *target_, to_.id));
    throttle_->set_rate(request_.bandwidth);
    throttles_ = {services_.throttles.of(from_.id, from_.definition.bandwidth),
                  services_.throttles.of(to_.id, to_.definition.bandwidth), throttle_};
    return {};
  }

  Result<> remove_damaged() {
    retention::PruneOutcome outcome;
    const auto ground = retention::Ground::of(services_, machine_, to_, target_, cancel_, outcome);
    const Remaking remaking{
        .from = from_.id, .flow = flow_, .job = request_.job, .execution_id = request_.execution_id};
    auto removed = remove_damaged_copies(ground, remaking, verify::prover(services_, progress_, cancel_));
    if (!removed && removed.error().code == ECANCELED) return tl::make_unexpected(removed.error());
    if (removed) {
      outcome_.anew = std::move(removed->points);
      outcome_.failures = std::move(removed->failures);
    } else {
      outcome_.failures.push_back(removed.error().message);  // new points are carried all the same
    }
    return {};
  }

  Result<> compare_sides() {
    return services_.catalog.read([&](db::Connection& db) -> Result<> {
      HF_TRY(sides_, look_at_both(db, machine_.id, from_.id, to_.id));
      return keep_worth_carrying(db);
    });
  }

  Result<> keep_worth_carrying(db::Connection& db) {
    std::set<Id> lacking;
    for (const Copies::Holding& point : sides_.lacking) lacking.insert(point.point);
    HF_TRY(const auto worth,
           retention::worth_carrying(db, flow_, machine_.id, to_.id, lacking, services_.clock.now()));
    std::erase_if(sides_.lacking, [&](const Copies::Holding& point) { return !worth.contains(point.point); });
    return {};
  }

  Result<std::shared_ptr<Place>> place_of(const Repository& repository) {
    auto place = services_.shelf.place(repository);
    if (!place) return fail(ENOMEDIUM, "{}", place.error().message);
    return *std::move(place);
  }

  // Returns ENOMEDIUM if a repository is absent, because a file that can't be read may only mean that.
  Result<> check_places() {
    for (const Repository* repository : {&from_, &to_}) HF_CHECK(place_of(*repository));
    return {};
  }

  // Removes what an earlier run left of points that are no longer to be carried.
  Result<> forget_stale() {
    for (const Copy& copy : sides_.writing) {
      const bool is_lacking =
          std::ranges::find(sides_.lacking, copy.point_id, &Copies::Holding::point) != sides_.lacking.end();
      const bool is_anothers = copy.flow_id && copy.flow_id != flow_.id;
      if (!is_lacking && !is_anothers) HF_CHECK(give_up(copy));
    }
    return {};
  }

  Result<> give_up(const Copy& copy) {
    return repository::give_up_copy(services_, *target_, machine_.key, copy);
  }

  // Announces the bytes to look at, as if every point will be carried.
  Result<> expect() {
    std::set<Id> bases = known_bases();
    for (const Copies::Holding& point : sides_.lacking) {
      HF_TRY(const Carry carry, plan(point, bases));
      progress_.expect(carry.bytes());
      for (const auto& disk : point.disks) bases.insert(disk.layer);
    }
    return {};
  }

  std::set<Id> known_bases() const {
    std::set<Id> bases;
    for (const auto& [layer, base] : sides_.bases) bases.insert(layer);
    return bases;
  }

  Result<Carry> plan(const Copies::Holding& holding, const std::set<Id>& bases) {
    return services_.catalog.read(
        [&](db::Connection& db) { return plan_carry(db, holding, sides_.bases, bases); });
  }

  Result<> carry_point(const Copies::Holding& holding) {
    HF_TRY(Carry carry, plan(holding, known_bases()));
    if (carry.point.state != PointState::committed) return {};  // removed meanwhile
    if (const auto carried = carry_files(carry); !carried) {
      HF_TRY(const bool is_there_still, is_committed(carry.point.id));
      // Law 14: a point without room leaves nothing behind.
      const bool is_in_vain = !is_there_still || carried.error().code == ENOSPC;
      if (is_in_vain && carry.copy.id != 0) HF_CHECK(give_up(carry.copy));
      return is_there_still ? carried : Result<>{};
    }
    outcome_.points.push_back(carry.point.name);
    outcome_.bytes_stored += carry.copy.bytes_stored;
    for (std::size_t i = 0; i < carry.parts.size(); ++i)
      sides_.bases[holding.disks[i].layer] = {carry.point.name, carry.layers[i]};
    return {};
  }

  Result<bool> is_committed(Id point) const {
    const auto row = services_.catalog.read([&](db::Connection& db) { return Points(db).get(point); });
    if (!row && row.error().code == ENOENT) return false;
    HF_CHECK(row);
    return row->state == PointState::committed;
  }

  Result<> carry_files(Carry& carry) {
    HF_TRY(repository::Draft draft, begin(carry));
    for (const Part& part : carry.parts) {
      HF_CHECK(carry_part(carry, part, draft));
      HF_CHECK(prove(carry, part, draft));
    }
    HF_CHECK(publish(carry, draft));
    return commit(carry);
  }

  // Adds the copy's row before any byte (law 1). Continues what an earlier run began in the same way.
  Result<repository::Draft> begin(Carry& carry) {
    Copy& copy = carry.copy;
    const Base* base = carry.rests_on();
    const bool merges =
        std::ranges::any_of(carry.parts, [](const Part& part) { return part.layers.size() > 1; });
    const auto earlier = std::ranges::find(sides_.writing, carry.point.id, &Copy::point_id);
    if (earlier != sides_.writing.end()) {
      // An unmerged layer keeps its header, which names its base, so the earlier try must have had the same.
      const bool is_the_same =
          !merges && (base ? earlier->chain_id == base->layer.chain_id : earlier->kind == PointKind::full);
      HF_TRY(const auto publisher, repository::publisher_of(services_, *target_, to_.id, earlier->id));
      HF_TRY(const bool may_be_committed,
             target_->may_be_committed(machine_.key, carry.point.name, publisher));
      if (may_be_committed)
        return fail(EEXIST,
                    "{}/{}/{} is there, but this catalog has not committed it: it may be an older copy",
                    target_->path(), machine_.key, carry.point.name);
      if (is_the_same) {
        copy = *earlier;
        copy.flow_id = flow_.id;
        HF_CHECK(services_.catalog.write([&](db::Connection& db) {
          return Copies(db).take_over(copy.id, flow_.id, request_.execution_id);
        }));
        return take_up(carry);
      }
      HF_CHECK(give_up(*earlier));
    }
    for (const char* ending : {"", ".partial"}) {
      const std::string path = machine_.key + "/" + carry.point.name + ending;
      HF_TRY(const bool there, target_->directory().exists(path));
      if (there)
        return fail(
            EEXIST,
            "{}/{} exists, but the catalog knows no copy there; move it away so that point {} can be carried",
            target_->path(), path, carry.point.name);
    }
    Copy made = {.id = new_id(),
                 .point_id = carry.point.id,
                 .machine_id = machine_.id,
                 .repository_id = to_.id,
                 .chain_id = base ? base->layer.chain_id : new_id(),
                 .flow_id = flow_.id,
                 .execution_id = request_.execution_id,
                 .kind = base ? PointKind::incremental : PointKind::full,
                 .created_at = services_.clock.now(),
                 .damaged = false,
                 .disks = {}};
    HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Point point, Points(db).get(made.point_id));
      if (point.state != PointState::committed) return fail(ENOENT, "point '{}' has gone", point.name);
      if (!base) HF_CHECK(Points(db).add_chain({made.chain_id, machine_.id, to_.id, services_.clock.now()}));
      return Copies(db).add(made);
    }));
    copy = std::move(made);  // from here on a failure must give up the copy
    return take_up(carry);
  }

  // Reopens the partial directory and removes files under other names than the layers' present ones. A layer
  // of the origin may have been merged since the earlier run, and then has another image id.
  Result<repository::Draft> take_up(const Carry& carry) {
    HF_TRY(repository::Draft draft, repository::Draft::take_up(target_, machine_.key, carry.point.name));
    std::set<std::string> wanted;
    for (const Part& part : carry.parts) {
      wanted.insert(part.disk.name + ".qcow2");
      wanted.insert(part.layers.front().image_id + ".sums");
    }
    HF_TRY(const auto entries, target_->directory().list(draft.partial()));
    for (const auto& entry : entries)
      if (!wanted.contains(entry.name))
        HF_CHECK(remove_tree(target_->directory(), draft.partial() + "/" + entry.name));
    return draft;
  }

  Toll toll() {
    return {.before_moving = [this](std::uint64_t bytes) -> Result<> {
              if (until_asked_ < bytes) {
                HF_CHECK(target_->check_room(to_.definition.reserve_percent));
                until_asked_ = kBetweenQuestions;
              }
              until_asked_ -= std::min(until_asked_, bytes);
              for (const auto& throttle : throttles_) HF_CHECK(throttle->take(bytes, cancel_));
              return {};
            },
            .looked_at = [this](std::uint64_t bytes) -> Result<> {
              progress_.advance(bytes);
              if (cancel_.requested()) return fail(ECANCELED, "cancelled");
              return {};
            }};
  }

  Result<> carry_part(Carry& carry, const Part& part, const repository::Draft& draft) {
    const Layer& newest = part.layers.front();
    Layer layer{.id = new_id(),
                .chain_id = carry.copy.chain_id,
                .disk_id = part.disk.disk_id,
                .parent_layer_id = part.base ? std::optional{part.base->layer.id} : std::nullopt,
                .file = carry.point.name + "/" + part.disk.name + ".qcow2",
                .image_id = newest.image_id,
                .file_bytes = newest.file_bytes};
    CopyDisk disk{.id = new_id(),
                  .disk_id = part.disk.disk_id,
                  .layer_id = layer.id,
                  .bytes_stored = part.disk.bytes_stored,
                  .sums_sha256 = part.sums_sha256};
    const std::string backing = part.base ? "../" + part.base->layer.file : "";
    HF_TRY(const bool as_it_is, rests_as_it_is(part, backing));
    if (as_it_is) {
      const std::string beside = draft.partial() + "/";
      const LayerAt here{source_->directory(), Place::paths_of(machine_.key, newest)};
      const LayerAt there{target_->directory(),
                          {.image = beside + part.disk.name + ".qcow2",
                           .sums = beside + newest.image_id + ".sums",
                           .content = {}}};
      HF_TRY(const std::uint64_t moved, carry_layer(here, there, part.sums_sha256, toll()));
      outcome_.bytes_transferred += moved;
    } else {
      HF_CHECK(merge(part, backing, draft, layer, disk));
    }
    carry.copy.bytes_stored += disk.bytes_stored;
    carry.copy.disks.push_back(std::move(disk));
    carry.layers.push_back(std::move(layer));
    return {};
  }

  // Whether the layer can be copied unchanged, because its header names the wanted backing file.
  Result<bool> rests_as_it_is(const Part& part, const std::string& backing) const {
    if (part.layers.size() > 1) return false;
    HF_TRY(const auto image,
           repository::open_stored(source_->directory(),
                                   Place::paths_of(machine_.key, part.layers.front()).image));
    HF_TRY(const image::ImageFacts facts, image::inspect(*image));
    return facts.backing_file == backing;
  }

  Result<> merge(const Part& part, const std::string& backing, repository::Draft draft, Layer& layer,
                 CopyDisk& disk) {
    std::vector<image::LayerFiles> files;
    std::uint64_t size = 0;
    for (const Layer& one : part.layers) {
      const auto paths = Place::paths_of(machine_.key, one);
      image::LayerFiles opened;
      HF_TRY(opened.image, repository::open_stored(source_->directory(), paths.image));
      HF_TRY(opened.sums, repository::open_stored(source_->directory(), paths.sums));
      files.push_back(std::move(opened));
      size += one.file_bytes;
    }
    HF_CHECK(toll().before_moving(size));
    const image::ImageId id = image::new_image_id();
    layer.image_id = image::hex(id);
    HF_TRY(const auto made, draft.create_disk(part.disk.name, layer.image_id));
    HF_TRY(const auto written, image::merge_layers(std::move(files), *made.image, *made.sums,
                                                   {.backing_file = backing, .id = id}));
    HF_CHECK(
        image::verify_layer(*made.image, *made.sums, [this](std::uint64_t) { return toll().looked_at(0); }));
    HF_TRY(const std::uint64_t bytes_of_sums, made.sums->size());
    layer.file_bytes = written.file_bytes;
    disk.bytes_stored = written.file_bytes;
    disk.sums_sha256 = written.sums_sha256;
    outcome_.bytes_transferred += written.file_bytes + bytes_of_sums;
    return toll().looked_at(size);
  }

  // Opens the copied chain and checks the size of its disk.
  Result<> prove(const Carry& carry, const Part& part, const repository::Draft& draft) {
    std::vector<Layer> stack;
    stack.push_back(carry.layers.back());
    stack.front().file = draft.partial().substr(machine_.key.size() + 1) + "/" + part.disk.name + ".qcow2";
    if (part.base) {
      HF_TRY(const auto below, services_.catalog.read([&](db::Connection& db) {
        return Points(db).stack(part.base->layer.id);
      }));
      std::ranges::copy(below, std::back_inserter(stack));
    }
    HF_TRY(const auto image, target_->open_stack(machine_.key, stack));
    if (image->size() == part.disk.capacity) return {};
    return fail_damaged(EIO,
                        "the copy of point {} has a disk of {} bytes in repository '{}'; it should have {}",
                        carry.point.name, image->size(), to_.name, part.disk.capacity);
  }

  Result<> publish(Carry& carry, repository::Draft& draft) {
    if (cancel_.requested()) return fail(ECANCELED, "cancelled");
    const Base* base = carry.rests_on();
    const ManifestNames names{.machine = machine_.name,
                              .repository = to_.name,
                              .parent = base ? base->point : "",
                              .flow_id = carry.copy.flow_id,
                              .copied_from = from_.marker,
                              .copied_at = carry.copy.created_at};
    HF_TRY(carry.copy.sequence, repository::take_number(services_.catalog, *target_, to_.id));
    const Point copied = repository::as_copied(carry.point, carry.copy, carry.layers);
    HF_TRY(carry.copy.manifest_sha256, draft.publish(copied, names, carry.layers));
    return {};
  }

  Result<> commit(const Carry& carry) {
    return services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(Copies(db).commit(carry.copy, carry.layers));
      HF_CHECK(Points(db).touch(carry.point.id));
      Job job;
      job.id = request_.job;
      job.execution_id = request_.execution_id;
      HF_CHECK(Logs(db).add(
          job, services_.clock.now(),
          fmt::format("point {} is copied, {} bytes stored", carry.point.name, carry.copy.bytes_stored)));
      Event event = make_event(services_.clock.now(), "point.copy",
                               fmt::format("machines/{}/points/{}", machine_.name, carry.point.name), {});
      event.owner = machine_.ownership;
      event.reason = "repositories/" + to_.name;
      event.execution = request_.execution;
      return record(db, event);
    });
  }

  static constexpr std::uint64_t kBetweenQuestions = 16 * kMiB;

  const capture::Services& services_;
  const ReplicationRequest& request_;
  ProgressMeter& progress_;
  const source::Cancel& cancel_;

  Flow flow_;
  Machine machine_;
  Repository from_, to_;
  std::shared_ptr<Place> source_, target_;
  Sides sides_;
  std::shared_ptr<capture::Throttle> throttle_ = std::make_shared<capture::Throttle>();
  std::vector<std::shared_ptr<capture::Throttle>> throttles_;
  std::uint64_t until_asked_ = 0;  // bytes until free space is checked again
  ReplicationOutcome outcome_;
};

}  // namespace

Result<ReplicationOutcome> replicate(const capture::Services& services, const ReplicationRequest& request,
                                     ProgressMeter& progress, const source::Cancel& cancel) {
  return Replication(services, request, progress, cancel).run();
}

}  // namespace holdfast::replication
