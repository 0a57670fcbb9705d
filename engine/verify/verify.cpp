#include "engine/verify/verify.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/repository/facts.h"
#include "engine/repository/readers.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/retention/ground.h"
#include "engine/verify/layer_check.h"
#include "engine/verify/second_opinion.h"

namespace holdfast::verify {
namespace {

constexpr std::size_t kMostTold = 100;

struct Stored {
  StoredLayer layer;
  Id repository = 0;
  std::optional<Error> fault;  // set by look_at()
};

struct PointCheck {
  Point point;
  Id repository = 0;          // where the point, or the copy, lies
  std::optional<Id> copy_id;  // absent: the point itself
  std::string copy;           // "copy in repositories/r: ", or ""
  std::string path;           // "machines/m/points/T"
  std::string machine_key;
  std::map<std::string, std::vector<Id>> layers;    // by disk, the newest first
  std::map<std::string, Error> failed_comparisons;  // by disk: why it does not read as QEMU reads it
  std::string away;                                 // why the repository could not be looked at, or ""
};

class Verification {
 public:
  Verification(const capture::Services& services, VerifyLevel level, ProgressMeter& progress,
               const source::Cancel& cancel)
      : services_(services), level_(level), progress_(progress), cancel_(cancel) {}

  Result<VerifyOutcome> run(const Wanted& wanted) {
    for (const Id point : wanted.points) {
      HF_CHECK(study_machine_of(point));
      HF_CHECK(load(point));
    }
    for (const Id copy : wanted.copies) {
      HF_CHECK(study_machine_of_copy(copy));
      HF_CHECK(load_copy(copy));
    }
    hold_repositories();
    expect();
    for (PointCheck& subject : subjects_) HF_CHECK(check(subject));
    if (outcome_.points == 0 && !outcome_.away.empty()) return fail(EIO, "{}", outcome_.away.front());
    return std::move(outcome_);
  }

  // Returns why the place is not known to be whole, or "". Layers that an earlier call has read are not read
  // again.
  Result<std::string> fault_of(Id point, std::optional<Id> copy) {
    subjects_.clear();
    for (const Id layer : std::exchange(unseen_, {})) layers_.erase(layer);
    hidden_.clear();  // a pruning between two calls hides more
    looked_for_hidden_.clear();
    HF_CHECK(copy ? load_copy(*copy) : load(point));
    if (subjects_.empty()) return "it has gone";
    hold_repositories();
    expect();
    HF_CHECK(check(subjects_.front()));
    const PointCheck& subject = subjects_.front();
    for (const auto& [disk, layers] : subject.layers)
      for (const Id layer : layers)
        if (const auto& fault = layers_.at(layer).fault) return fault->message;
    return subject.away;
  }

 private:
  Result<> load(Id id) {
    return services_.catalog.read([&](db::Connection& db) -> Result<> {
      auto point = Points(db).get(id);
      if (!point && point.error().code == ENOENT) return {};
      HF_CHECK(point);
      if (point->state == PointState::retired) return {};
      const Id repository = point->repository_id;
      return add_subject(db, *std::move(point), repository, {}, "");
    });
  }

  Result<> load_copy(Id id) {
    return services_.catalog.read([&](db::Connection& db) -> Result<> {
      const auto copy = Copies(db).get(id);
      if (!copy && copy.error().code == ENOENT) return {};
      HF_CHECK(copy);
      if (copy->state != PointState::committed) return {};
      HF_TRY(Point point, Points(db).get(copy->point_id));
      for (PointDisk& disk : point.disks) {
        const auto its = std::ranges::find(copy->disks, disk.disk_id, &CopyDisk::disk_id);
        if (its != copy->disks.end()) disk.layer_id = its->layer_id;
      }
      HF_TRY(const std::string name, Repositories(db).name_of(copy->repository_id));
      return add_subject(db, std::move(point), copy->repository_id, id,
                         fmt::format("copy in repositories/{}: ", name));
    });
  }

  Result<> add_subject(db::Connection& db, Point point, Id repository, std::optional<Id> copy_id,
                       std::string copy) {
    Points points(db);
    HF_CHECK(find_hidden(db, point.machine_id, repository));
    HF_TRY(const Machine machine, Machines(db).get(point.machine_id));
    PointCheck subject{.point = std::move(point),
                       .repository = repository,
                       .copy_id = copy_id,
                       .copy = std::move(copy),
                       .path = {},
                       .machine_key = machine.key,
                       .layers = {},
                       .failed_comparisons = {},
                       .away = {}};
    subject.path = fmt::format("machines/{}/points/{}", machine.name, subject.point.name);
    for (const PointDisk& disk : subject.point.disks) {
      HF_TRY(const auto stack, points.stack(disk.layer_id));
      for (const Layer& layer : stack) {
        subject.layers[disk.name].push_back(layer.id);
        if (layers_.contains(layer.id)) continue;
        layers_[layer.id] = {
            .layer = {layer, machine.key, hidden_[layer.id]}, .repository = repository, .fault = {}};
        unseen_.insert(layer.id);
      }
    }
    subjects_.push_back(std::move(subject));
    return {};
  }

  // Keeps the machine's points from being pruned until the verification ends.
  Result<> study_machine_of(Id point) {
    const auto found = services_.catalog.read([&](db::Connection& db) { return Points(db).get(point); });
    if (!found) return found.error().code == ENOENT ? Result<>{} : tl::make_unexpected(found.error());
    auto& studied = studied_[found->machine_id];
    if (!studied)
      studied = services_.readers.study(found->machine_id, [this] { return cancel_.requested(); });
    if (!studied) return fail(ECANCELED, "cancelled");
    return {};
  }

  Result<> study_machine_of_copy(Id copy) {
    const auto found = services_.catalog.read([&](db::Connection& db) { return Copies(db).get(copy); });
    if (!found) return found.error().code == ENOENT ? Result<>{} : tl::make_unexpected(found.error());
    return study_machine_of(found->point_id);
  }

  Result<> find_hidden(db::Connection& db, Id machine, Id repository) {
    if (!looked_for_hidden_.insert({machine, repository}).second) return {};
    HF_TRY(const auto layers, Retention(db).layers(machine, repository));
    for (const retention::Hidden& hidden : retention::hidden_in(retention::towers_of(layers)))
      for (const retention::Tower& viewer : hidden.viewers)
        hidden_[hidden.layer.id].emplace_back(viewer.begin(), viewer.end());
    return {};
  }

  // Keeps the repositories from being detached: between two layers nobody holds their places.
  void hold_repositories() {
    for (const PointCheck& subject : subjects_) {
      auto& use = uses_[subject.repository];
      if (!use) use = services_.shelf.use(subject.repository);
    }
  }

  void expect() {
    if (level_ == VerifyLevel::quick) return;
    for (const Id layer : unseen_) progress_.expect(layers_.at(layer).layer.layer.file_bytes);
    if (level_ != VerifyLevel::compare) return;
    for (const PointCheck& subject : subjects_)
      for (const PointDisk& disk : subject.point.disks) progress_.expect(disk.bytes_used);
  }

  image::Watch watch() {
    return [this](std::uint64_t bytes) -> Result<> {
      progress_.advance(bytes);
      outcome_.bytes_read += bytes;
      if (cancel_.requested()) return fail(ECANCELED, "cancelled");
      return {};
    };
  }

  Result<std::shared_ptr<repository::Place>> place_of(Id repository) {
    HF_TRY(const Repository row,
           services_.catalog.read([&](db::Connection& db) { return Repositories(db).get(repository); }));
    auto place = services_.shelf.place(row);
    if (!place) return within(place.error(), "repository '{}'", row.name);
    return place;
  }

  // Stores what is found, unless the repository is away.
  Result<> check(PointCheck& subject) {
    const auto looked = look_at_all_of(subject);
    if (looked) return write_down(subject);
    const auto place = place_of(subject.repository);
    if (place || looked.error().code == ECANCELED) return looked;
    subject.away = place.error().message;
    if (std::ranges::find(outcome_.away, subject.away) == outcome_.away.end())
      outcome_.away.push_back(subject.away);
    return {};
  }

  Result<> look_at_all_of(PointCheck& subject) {
    for (const auto& [disk, layers] : subject.layers)
      for (const Id layer : layers) HF_CHECK(look_at(layers_.at(layer)));
    return level_ == VerifyLevel::compare ? ask_qemu(subject) : Result<>{};
  }

  Result<> look_at(Stored& stored) {
    if (!unseen_.contains(stored.layer.layer.id)) return {};
    HF_TRY(const auto place, place_of(stored.repository));
    const auto check = level_ == VerifyLevel::quick ? check_quickly : check_every_byte;
    const auto checked = check(*place, stored.layer, watch());
    if (!checked && checked.error().code == ECANCELED) return checked;
    // A repository that has gone meanwhile says nothing of its layers.
    if (!checked) HF_CHECK(place->check());
    ++outcome_.layers;
    unseen_.erase(stored.layer.layer.id);
    if (!checked) stored.fault = checked.error();
    return {};
  }

  // Compares only disks whose layers are right, because QEMU may read anything from a damaged one.
  Result<> ask_qemu(PointCheck& subject) {
    HF_TRY(const auto place, place_of(subject.repository));
    for (const auto& [disk, ids] : subject.layers) {
      if (std::ranges::any_of(ids, [&](Id id) { return layers_.at(id).fault.has_value(); })) continue;
      std::vector<Layer> layers;
      for (const Id id : ids) layers.push_back(layers_.at(id).layer.layer);
      const auto ours = place->open_stack(subject.machine_key, layers);
      if (!ours) {
        subject.failed_comparisons[disk] = ours.error();
        continue;
      }
      const auto paths = repository::Place::paths_of(subject.machine_key, layers.front());
      auto theirs = source::nbd::ServedImage::open(place->path() + "/" + paths.image);
      if (!theirs && theirs.error().code == ENOENT)
        return fail(EINVAL, "qemu-nbd can't be run ({}); install qemu-utils, or verify level=checksums",
                    theirs.error().message);
      if (!theirs) return tl::make_unexpected(theirs.error());
      const auto compared = compare(**ours, **theirs, watch());
      if (!compared && compared.error().code == ECANCELED) return compared;
      if (!compared) subject.failed_comparisons[disk] = compared.error();
    }
    return {};
  }

  Result<> write_down(const PointCheck& subject) {
    const auto damage = damage_of(subject);
    const bool good = damage.empty();
    ++outcome_.points;
    if (const auto reason = why_unreadable(subject); good && reason) {
      ++outcome_.unreadable_points;
      if (!outcome_.unreadable) outcome_.unreadable = reason;
      return {};
    }
    const Point::Verification verification{.at = services_.clock.now(),
                                           .level = level_,
                                           .result = good ? VerdictResult::good : VerdictResult::bad};
    if (!good) ++outcome_.damaged_points;
    for (const Damage& one : damage)
      if (outcome_.damage.size() < kMostTold) outcome_.damage.push_back(one);
    const auto noted = services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(note(db, subject, verification));
      Event event = make_event(verification.at, "point.verify", subject.path, {});
      event.result = good ? EventResult::ok : EventResult::failed;
      event.reason = good ? subject.copy + std::string(to_word(level_))
                          : fmt::format("{}: {}", damage.front().disk, damage.front().sentence);
      return record(db, event);
    });
    if (!noted && noted.error().code == ENOENT) return {};  // pruned meanwhile
    HF_CHECK(noted);
    if (!subject.copy_id) write_beside(subject);
    return {};
  }

  // Stores the result, unless a less thorough check found good what a thorough one found damaged.
  Result<> note(db::Connection& db, const PointCheck& subject, const Point::Verification& verification) {
    const bool good = verification.result == VerdictResult::good;
    if (subject.copy_id) {
      if (good && level_ == VerifyLevel::quick) return {};
      return Copies(db).set_damaged(*subject.copy_id, !good);
    }
    HF_TRY(const Point point, Points(db).get(subject.point.id));
    const auto& last = point.verified;
    if (good && last && last->result == VerdictResult::bad && level_ < last->level) return {};
    return Points(db).set_verified(point.id, verification);
  }

  // Calls `visit` with the name of the disk and the error.
  template <class Visit>
  void each_fault(const PointCheck& subject, Visit visit) const {
    for (const auto& [disk, layers] : subject.layers)
      for (const Id layer : layers)
        if (const auto& fault = layers_.at(layer).fault) visit(disk, *fault);
    for (const auto& [disk, error] : subject.failed_comparisons) visit(disk, error);
  }

  std::vector<Damage> damage_of(const PointCheck& subject) const {
    std::vector<Damage> damage;
    each_fault(subject, [&](const std::string& disk, const Error& fault) {
      if (fault.damage) damage.push_back({subject.path, disk, subject.copy + fault.message});
    });
    return damage;
  }

  // Returns why a part of the point could not be looked at; nullopt if all of it was.
  std::optional<Error> why_unreadable(const PointCheck& subject) const {
    std::optional<Error> reason;
    each_fault(subject, [&](const std::string& disk, const Error& fault) {
      if (fault.damage || reason) return;
      reason = fault;
      reason->message = fmt::format("{}, {}: {}{}", subject.path, disk, subject.copy, fault.message);
    });
    return reason;
  }

  // Writes the result beside the manifest too, for a Holdfast that has lost its catalog.
  void write_beside(const PointCheck& subject) {
    const Id repository = subject.point.repository_id;
    repository::tell_facts_if_able(services_.catalog, place_of(repository), repository, subject.point.id);
  }

  const capture::Services& services_;
  const VerifyLevel level_;
  ProgressMeter& progress_;
  const source::Cancel& cancel_;
  std::vector<PointCheck> subjects_;
  std::map<Id, Guard> studied_;                    // by machine: guards of study()
  std::set<std::pair<Id, Id>> looked_for_hidden_;  // by machine and repository
  std::map<Id, std::vector<std::vector<Layer>>>
      hidden_;  // by layer that no point shows: the stacks that see through it
  std::map<Id, Stored> layers_;
  std::set<Id> unseen_;
  std::map<Id, std::shared_ptr<repository::Shelf::Use>> uses_;  // by repository, until the verification ends
  VerifyOutcome outcome_;
};

}  // namespace

retention::Prove prover(const capture::Services& services, ProgressMeter& progress,
                        const source::Cancel& cancel) {
  const auto verification =
      std::make_shared<Verification>(services, VerifyLevel::checksums, progress, cancel);
  return [verification](Id point, std::optional<Id> copy) { return verification->fault_of(point, copy); };
}

Result<VerifyOutcome> verify_points(const capture::Services& services, const Wanted& wanted,
                                    VerifyLevel level, ProgressMeter& progress,
                                    const source::Cancel& cancel) {
  return Verification(services, level, progress, cancel).run(wanted);
}

}  // namespace holdfast::verify
