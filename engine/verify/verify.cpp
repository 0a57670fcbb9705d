#include "engine/verify/verify.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "catalog/stores/copies.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/readings.h"
#include "catalog/stores/repositories.h"
#include "engine/common/audit.h"
#include "engine/repository/facts.h"
#include "engine/repository/readers.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/retention/ground.h"
#include "engine/verify/layer_check.h"
#include "engine/verify/second_opinion.h"
#include "engine/verify/subject.h"

namespace holdfast::verify {
namespace {

constexpr std::size_t kMostTold = 100;

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
    look_at_documents(wanted.repositories);
    for (PointCheck& subject : subjects_) HF_CHECK(check(subject));
    if (outcome_.points == 0 && !outcome_.away.empty()) return fail(EIO, "{}", outcome_.away.front());
    return std::move(outcome_);
  }

  Result<> run(const Share& share, ShareOutcome& outcome) {
    throttles_ = share.throttles;
    std::set<std::pair<Id, Id>> homes;
    const auto read = read_all(share, homes, outcome);
    const auto told = read ? tell_read_through(homes) : read;
    static_cast<VerifyOutcome&>(outcome) = std::move(outcome_);
    return told;
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
  Result<> read_all(const Share& share, std::set<std::pair<Id, Id>>& homes, ShareOutcome& outcome) {
    for (const Id layer : share.layers) {
      if (!share.may_go_on()) return {};
      forget_subjects();
      HF_TRY(const auto home, load_layer(layer));
      if (!home) continue;
      homes.insert({home->machine, home->repository});
      const std::uint64_t before = outcome_.bytes_read;
      const auto looked = look_at(layers_.at(layer));
      const auto& fault = layers_.at(layer).fault;
      const bool was_read = looked && (!fault || fault->damage);
      outcome.bytes_counted +=
          was_read ? layers_.at(layer).layer.layer.file_bytes : outcome_.bytes_read - before;
      HF_CHECK(looked);
      if (was_read) {
        HF_CHECK(tell(layer, !fault));
        continue;
      }
      outcome.unread.push_back(layer);
      if (!outcome_.unreadable) outcome_.unreadable = fault;
    }
    return {};
  }

  // Notes the reading after the points that damage spoils: after a kill the layer is read again.
  Result<> tell(Id layer, bool sound) {
    if (!sound) HF_CHECK(spoil(layer));
    unrecorded_.clear();
    const auto noted = services_.catalog.write([&](db::Connection& db) {
      return Readings(db).set_read(layer, services_.clock_watch.proven(), sound);
    });
    return noted || noted.error().code == ENOENT ? Result<>() : noted;  // pruned meanwhile
  }

  Result<> spoil(Id layer) {
    HF_TRY(const auto resting,
           services_.catalog.read([&](db::Connection& db) { return Readings(db).resting_on(layer); }));
    for (const Id point : resting.points) HF_CHECK(load(point));
    for (const Id copy : resting.copies) HF_CHECK(load_copy(copy));
    for (const PointCheck& subject : subjects_) HF_CHECK(write_down(subject));
    return {};
  }

  // Verifies the points that the readings so far have completed.
  Result<> tell_read_through(const std::set<std::pair<Id, Id>>& homes) {
    for (const auto& [machine, repository] : homes) {
      HF_TRY(const auto points, services_.catalog.read([&](db::Connection& db) {
        return Readings(db).read_through(machine, repository);
      }));
      forget_subjects();
      for (const Id point : points) {
        subjects_.clear();
        HF_CHECK(load(point));
        for (const PointCheck& subject : subjects_) HF_CHECK(write_down(subject));
      }
    }
    return {};
  }

  void forget_subjects() {
    subjects_.clear();
    layers_.clear();
    unseen_.clear();
    unrecorded_.clear();
    studied_.clear();
    hidden_.clear();
    looked_for_hidden_.clear();
  }

  // Loads one layer, and keeps its machine's files from being pruned. Returns nullopt if the layer has gone.
  Result<std::optional<Readings::Home>> load_layer(Id id) {
    const auto home = services_.catalog.read([&](db::Connection& db) { return Readings(db).home(id); });
    if (!home && home.error().code == ENOENT) return std::nullopt;
    HF_CHECK(home);
    HF_CHECK(study(home->machine));
    uses_.try_emplace(home->repository, services_.shelf.use(home->repository));
    return services_.catalog.read([&](db::Connection& db) -> Result<std::optional<Readings::Home>> {
      const auto layer = Points(db).layer(id);
      if (!layer && layer.error().code == ENOENT) return std::nullopt;
      HF_CHECK(layer);
      HF_TRY(const Machine machine, Machines(db).get(home->machine));
      HF_CHECK(find_hidden(db, home->machine, home->repository));
      layers_[id] = {.layer = {*layer, machine.key, hidden_[id]},
                     .repository = home->repository,
                     .machine = home->machine,
                     .fault = {}};
      unseen_.insert(id);
      return *home;
    });
  }

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
        layers_[layer.id] = {.layer = {layer, machine.key, hidden_[layer.id]},
                             .repository = repository,
                             .machine = machine.id,
                             .fault = {}};
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
    return study(found->machine_id);
  }

  Result<> study(Id machine) {
    auto& studied = studied_[machine];
    if (!studied) studied = services_.readers.study(machine, [this] { return cancel_.requested(); });
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
      for (const auto& throttle : throttles_) HF_CHECK(throttle->take(bytes, cancel_));
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
    unrecorded_.push_back(stored.layer.layer.id);
    if (!checked) stored.fault = checked.error();
    if (!checked && checked.error().damage)
      outcome_.damaged_layers.push_back({stored.layer, stored.repository, stored.machine});
    return {};
  }

  // Comes first, because each result is written into the facts.
  void look_at_documents(const std::vector<Id>& repositories) {
    const auto take = [&](const Result<std::vector<Misfit>>& found) {
      if (found) std::ranges::copy(*found, std::back_inserter(outcome_.documents));
      if (!found && !outcome_.unreadable) outcome_.unreadable = found.error();
    };
    for (const PointCheck& subject : subjects_)
      if (const auto place = place_of(subject.repository))
        take(check_documents(services_.catalog, **place, subject.repository, subject.point.id));
    for (const Id repository : repositories)
      if (const auto place = place_of(repository))
        take(check_own_documents(services_.catalog, **place, repository));
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
    const auto damage = damage_of(subject, layers_);
    const bool good = damage.empty();
    ++outcome_.points;
    if (const auto reason = why_unreadable(subject, layers_); good && reason) {
      ++outcome_.unreadable_points;
      if (!outcome_.unreadable) outcome_.unreadable = reason;
      return {};
    }
    const Point::Verification verification{.at = services_.clock.now(),
                                           .level = level_,
                                           .result = good ? VerdictResult::good : VerdictResult::bad};
    if (!good) ++outcome_.damaged_points;
    if (!good && subject.copy_id) outcome_.harmed.copies.push_back(*subject.copy_id);
    if (!good && !subject.copy_id) outcome_.harmed.points.push_back(subject.point.id);
    for (const Damage& one : damage)
      if (outcome_.damage.size() < kMostTold) outcome_.damage.push_back(one);
    const auto noted = services_.catalog.write([&](db::Connection& db) -> Result<> {
      HF_CHECK(note(db, subject, verification));
      HF_CHECK(note_readings(db));
      Event event = make_event(verification.at, "point.verify", subject.path, {});
      event.result = good ? EventResult::ok : EventResult::failed;
      event.reason = good ? subject.copy + std::string(to_word(level_))
                          : fmt::format("{}: {}", damage.front().disk, damage.front().sentence);
      return record(db, event);
    });
    if (!noted && noted.error().code == ENOENT) return {};  // pruned meanwhile
    HF_CHECK(noted);
    unrecorded_.clear();
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

  // A damaged layer stays due: other points that rest on it may be unmarked when this verification is killed.
  Result<> note_readings(db::Connection& db) {
    Readings readings(db);
    for (const Id layer : unrecorded_) {
      const auto& fault = layers_.at(layer).fault;
      Result<> noted;
      if (fault && fault->damage) noted = readings.set_unsound(layer);
      if (!fault && level_ != VerifyLevel::quick)
        noted = readings.set_read(layer, services_.clock_watch.proven(), true);
      if (!noted && noted.error().code != ENOENT) return noted;  // pruned meanwhile
    }
    return {};
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
  StoredLayers layers_;
  std::set<Id> unseen_;
  std::vector<Id> unrecorded_;  // layers that were looked at, and of which the catalog does not know yet
  std::vector<std::shared_ptr<capture::Throttle>> throttles_;
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

Result<> read_share(const capture::Services& services, const Share& share, ProgressMeter& progress,
                    const source::Cancel& cancel, ShareOutcome& outcome) {
  return Verification(services, VerifyLevel::checksums, progress, cancel).run(share, outcome);
}

}  // namespace holdfast::verify
