#include "engine/replication/remake.h"

#include <algorithm>
#include <set>

#include "catalog/stores/copies.h"
#include "catalog/stores/logs.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "engine/common/audit.h"
#include "engine/repository/readers.h"
#include "engine/retention/plan.h"
#include "engine/retention/room.h"

namespace holdfast::replication {
namespace {

using retention::Ground;

// A point in the target or in the origin, as the point itself or as a copy.
struct Lying {
  Retention::Kept place;
  std::set<Id> own;  // the newest layer of each disk
  std::set<Id> all;  // the newest layers, and the layers that they rest on

  bool rests_on_any(const std::set<Id>& layers) const {
    return std::ranges::any_of(all, [&](Id layer) { return layers.contains(layer); });
  }
};

Result<Lying> find_layers(db::Connection& db, Retention::Kept place) {
  Lying lying{.place = std::move(place), .own = {}, .all = {}};
  if (lying.place.copy) {
    HF_TRY(const Copy copy, Copies(db).get(*lying.place.copy));
    for (const CopyDisk& disk : copy.disks) lying.own.insert(disk.layer_id);
  } else {
    HF_TRY(const Point point, Points(db).get(lying.place.id));
    for (const PointDisk& disk : point.disks) lying.own.insert(disk.layer_id);
  }
  for (const Id layer : lying.own) {
    HF_TRY(const auto stack, Points(db).stack(layer));
    for (const Layer& one : stack) lying.all.insert(one.id);
  }
  return lying;
}

Result<std::vector<Lying>> places_in(db::Connection& db, const Ground& ground, Id repository) {
  HF_TRY(auto kept, Retention(db).points(ground.machine, ground.services.clock.now()));
  std::vector<Lying> places;
  for (Retention::Kept& place : kept) {
    if (place.repository_id != repository) continue;
    HF_TRY(places.emplace_back(), find_layers(db, std::move(place)));
  }
  return places;
}

Result<std::vector<Lying>> read_places(const Ground& ground, Id repository) {
  return ground.services.catalog.read([&](db::Connection& db) { return places_in(db, ground, repository); });
}

bool is_damaged_copy(const Lying& one) { return one.place.copy && one.place.damaged; }

// Reads the copies that share a layer with a damaged one, which stores the results.
Result<> read_what_may_be_spoiled(const std::vector<Lying>& places, const retention::Prove& prove) {
  std::set<Id> suspect;
  for (const Lying& one : places)
    if (is_damaged_copy(one)) suspect.insert(one.all.begin(), one.all.end());
  for (const Lying& one : places)
    if (one.place.copy && !is_damaged_copy(one) && one.rests_on_any(suspect))
      HF_CHECK(prove(one.place.id, one.place.copy));
  return {};
}

// Returns those of the damaged copies that the flow may carry anew.
Result<std::vector<Lying>> find_own(db::Connection& db, const Ground& ground, const Flow& flow) {
  HF_TRY(auto places, places_in(db, ground, ground.repository));
  std::erase_if(places, [&](const Lying& one) {
    const bool is_anothers = one.place.flow_id && one.place.flow_id != flow.id;
    return !is_damaged_copy(one) || is_anothers;
  });
  std::set<Id> points;
  for (const Lying& one : places) points.insert(one.place.id);
  HF_TRY(const auto worth, retention::worth_carrying(db, flow, ground.machine, ground.repository, points,
                                                     ground.services.clock.now()));
  std::erase_if(places, [&](const Lying& one) { return !worth.contains(one.place.id); });
  return places;
}

class Removal {
 public:
  Removal(const Ground& ground, const Remaking& remaking, const retention::Prove& prove)
      : ground_(ground), remaking_(remaking), prove_(prove) {}

  Result<Removed> run() {
    HF_CHECK(retention::check_listing(ground_));
    HF_TRY(const auto places, read_places(ground_, ground_.repository));
    HF_CHECK(read_what_may_be_spoiled(places, prove_));
    HF_CHECK(choose());
    HF_CHECK(retire());
    HF_CHECK(retention::mark_retired(ground_));
    HF_CHECK(retention::remove_unneeded(ground_));
    return std::move(removed_);
  }

 private:
  // Chooses the copies whose points are whole at the origin.
  Result<> choose() {
    HF_TRY(auto damaged, ground_.services.catalog.read(
                             [&](db::Connection& db) { return find_own(db, ground_, remaking_.flow); }));
    HF_TRY(const auto origin, read_places(ground_, remaking_.from));
    for (Lying& one : damaged) {
      const auto its =
          std::ranges::find(origin, one.place.id, [](const Lying& there) { return there.place.id; });
      std::string fault = "it is not there";
      if (its != origin.end()) {
        HF_TRY(fault, prove_(its->place.id, its->place.copy));
      }
      if (fault.empty())
        chosen_.push_back(std::move(one));
      else
        keep(one, "the point can't be copied again: " + fault);
    }
    return {};
  }

  void keep(const Lying& one, const std::string& why) {
    removed_.failures.push_back(fmt::format("the copy of point {} in repository '{}' is damaged, and {}",
                                            one.place.name, ground_.name, why));
  }

  Result<> retire() {
    const auto nobody_opens = ground_.services.readers.changing(ground_.repository);
    std::erase_if(chosen_, [&](const Lying& one) {
      const bool is_open = ground_.services.readers.use(one.place.id, ground_.services.clock.now()) ==
                           repository::Readers::Use::open;
      if (is_open) keep(one, "one of the point's images is open");
      return is_open;
    });
    HF_TRY(const auto places, read_places(ground_, ground_.repository));
    while (!chosen_.empty() && keep_bases(places)) continue;
    return ground_.services.catalog.write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Machine machine, Machines(db).get(ground_.machine));
      for (const Lying& one : chosen_) HF_CHECK(retire_one(db, machine, one.place));
      return {};
    });
  }

  // Keeps the chosen copies on which a place rests that is not chosen. Returns whether there was one.
  bool keep_bases(const std::vector<Lying>& places) {
    std::set<Id> needed;
    const auto copy_of = [](const Lying& chosen) { return chosen.place.copy; };
    for (const Lying& one : places)
      if (std::ranges::find(chosen_, one.place.copy, copy_of) == chosen_.end())
        needed.insert(one.all.begin(), one.all.end());
    return std::erase_if(chosen_, [&](const Lying& one) {
             const bool is_base =
                 std::ranges::any_of(one.own, [&](Id layer) { return needed.contains(layer); });
             if (is_base) keep(one, "another point there rests on it");
             return is_base;
           }) > 0;
  }

  Result<> retire_one(db::Connection& db, const Machine& machine, const Retention::Kept& copy) {
    const Time now = ground_.services.clock.now();
    HF_CHECK(Retention(db).retire_copy(*copy.copy, now));
    removed_.points.push_back(copy.name);
    Job job;
    job.id = remaking_.job;
    job.execution_id = remaking_.execution_id;
    HF_CHECK(
        Logs(db).add(job, now, fmt::format("the copy of point {} is damaged and is made anew", copy.name)));
    Event event =
        make_event(now, "copy.prune", fmt::format("machines/{}/points/{}", machine.name, copy.name), {});
    event.owner = machine.ownership;
    event.reason = fmt::format("repositories/{}: damaged", ground_.name);
    return record(db, event);
  }

  const Ground& ground_;
  const Remaking& remaking_;
  const retention::Prove& prove_;
  std::vector<Lying> chosen_;
  Removed removed_;
};

}  // namespace

Result<Removed> remove_damaged_copies(const Ground& target, const Remaking& remaking,
                                      const retention::Prove& prove) {
  HF_TRY(const auto places, read_places(target, target.repository));
  if (std::ranges::none_of(places, is_damaged_copy)) return Removed{};
  const auto nobody_studies = target.services.readers.clear(target.machine);
  if (!nobody_studies)
    return Removed{
        .points = {},
        .failures = {fmt::format("damaged copies in repository '{}' stay while the machine's points "
                                 "are being verified",
                                 target.name)}};
  return Removal(target, remaking, prove).run();
}

}  // namespace holdfast::replication
