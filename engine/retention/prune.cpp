#include "engine/retention/prune.h"

#include <algorithm>
#include <memory>
#include <set>
#include <vector>

#include "catalog/base/log.h"
#include "catalog/stores/copies.h"
#include "catalog/stores/flows.h"
#include "catalog/stores/leftovers.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/capture/recovery.h"
#include "engine/common/audit.h"
#include "engine/repository/readers.h"
#include "engine/repository/sequence.h"
#include "engine/repository/shelf.h"
#include "engine/repository/unfinished_copy.h"
#include "engine/retention/merging.h"
#include "engine/retention/room.h"

namespace holdfast::retention {
namespace {

struct PrunedMachine {
  Machine machine;
  std::vector<Repository> repositories;  // repositories that hold something of the machine
};

Result<PrunedMachine> find_pruned(Catalog& catalog, Id machine) {
  return catalog.read([&](db::Connection& db) -> Result<PrunedMachine> {
    PrunedMachine pruned;
    HF_TRY(pruned.machine, Machines(db).get(machine));
    HF_TRY(const auto repositories, Points(db).repositories_of(machine));
    for (const Id id : repositories) {
      HF_TRY(Repository repository, Repositories(db).get(id));
      pruned.repositories.push_back(std::move(repository));
    }
    return pruned;
  });
}

Result<std::shared_ptr<repository::Place>> writable_place(const capture::Services& services,
                                                          const Repository& repository) {
  if (repository.definition.read_only)
    return fail(EROFS, "repository '{}' is read-only: nothing is deleted there", repository.name);
  HF_TRY(auto place, services.shelf.place(repository));
  HF_CHECK(repository::claim(services.catalog, *place, repository));
  HF_CHECK(repository::check_known(services.catalog, *place, repository.id));
  return place;
}

bool goes_there(db::Connection& db, const Copy& copy) {
  if (!copy.flow_id) return false;
  const auto flow = Flows(db).get(*copy.flow_id);
  return flow && flow->definition.type == FlowType::replication && flow->repository_id == copy.repository_id;
}

// Returns unfinished copies that no run will complete, because their point or flow is gone or the flow's
// target changed.
Result<std::vector<Copy>> orphans(db::Connection& db, Id machine, Id repository) {
  HF_TRY(auto writing, Copies(db).writing(machine, repository));
  std::vector<Copy> found;
  for (Copy& copy : writing) {
    HF_TRY(const Point point, Points(db).get(copy.point_id));
    if (point.state != PointState::committed || !goes_there(db, copy)) found.push_back(std::move(copy));
  }
  return found;
}

// Whether a pruning has anything to do in the repository. An absent repository without work must not raise a
// warning.
Result<bool> has_work(const capture::Services& services, Id machine, Id repository) {
  return services.catalog.read([&](db::Connection& db) -> Result<bool> {
    HF_TRY(const auto layers, Retention(db).layers(machine, repository));
    if (!unneeded(layers).empty() || std::ranges::any_of(layers, is_merging)) return true;
    HF_TRY(const auto ownerless, orphans(db, machine, repository));
    if (!ownerless.empty()) return true;
    const auto towers = towers_of(layers);
    if (std::ranges::any_of(towers, [](const Tower& tower) { return tower.size() > kDeepest; })) return true;
    if (!std::ranges::all_of(hidden_in(towers), is_punched)) return true;
    HF_TRY(const Plan plan, make_plan(db, services.readers, machine, services.clock.now()));
    return std::ranges::any_of(plan.points, [&](const PlannedPoint& planned) {
      return planned.point.repository_id == repository && !planned.judgement.stays();
    });
  });
}

// Whether another place of the point is left.
enum class Left { nowhere, somewhere };

// Retires the point, or the copy, that was judged.
Result<Left> retire_one(db::Connection& db, const PlannedPoint& planned, Time now) {
  if (planned.point.copy) {
    HF_CHECK(Retention(db).retire_copy(*planned.point.copy, now));
    return Left::somewhere;
  }
  HF_CHECK(Retention(db).retire(planned.point.id, now));
  HF_TRY(const Point left, Points(db).get(planned.point.id));
  return left.state == PointState::retired ? Left::nowhere : Left::somewhere;
}

Event gone_event(const Ground& ground, const Machine& machine, const PlannedPoint& planned, Left left,
                 bool machine_is_over) {
  Event event = make_event(ground.services.clock.now(), left == Left::nowhere ? "point.prune" : "copy.prune",
                           fmt::format("machines/{}/points/{}", machine.name, planned.point.name), {});
  event.owner = machine.ownership;
  if (machine_is_over)
    event.reason = "retired";
  else if (!planned.policy.empty())
    event.reason = "policies/" + planned.policy;
  if (left == Left::somewhere)
    event.reason =
        fmt::format("repositories/{}{}{}", ground.name, event.reason.empty() ? "" : ": ", event.reason);
  return event;
}

std::string gone_sentence(const Ground& ground, const PlannedPoint& planned, Left left,
                          bool machine_is_over) {
  const std::string why = machine_is_over ? "its machine is retired" : "by policies/" + planned.policy;
  return left == Left::nowhere ? fmt::format("point {} goes: {}", planned.point.name, why)
                               : fmt::format("point {} goes from repository '{}' and stays in another: {}",
                                             planned.point.name, ground.name, why);
}

// Returns the machine's other repositories that match the catalog. They may be slow or away, so this runs
// before the transaction.
std::set<Id> in_order_elsewhere(const Ground& ground, const PrunedMachine& pruned) {
  std::set<Id> in_order;
  for (const Repository& other : pruned.repositories) {
    if (other.id == ground.repository) continue;
    auto place = ground.services.shelf.place(other);
    if (!place) continue;
    if (check_listing(Ground::of(ground.services, pruned.machine, other, *std::move(place), ground.cancel,
                                 ground.outcome)))
      in_order.insert(other.id);
  }
  return in_order;
}

// Places of points that were found whole in this job: the point's id, and the copy's unless it is the point
// itself.
using WholePlaces = std::set<std::pair<Id, std::optional<Id>>>;

// The places of the point that stay when one goes; none: the point goes altogether.
std::vector<const PlannedPoint*> staying_besides(const Plan& plan, const PlannedPoint& going) {
  std::vector<const PlannedPoint*> staying;
  for (const PlannedPoint& other : plan.points)
    if (other.point.id == going.point.id && other.point.copy != going.point.copy && other.judgement.stays())
      staying.push_back(&other);
  return staying;
}

// Whether the place goes altogether or for the sake of one that was found whole (law 12).
bool may_go(const Plan& plan, const PlannedPoint& going, const WholePlaces& whole) {
  const auto staying = staying_besides(plan, going);
  return staying.empty() || std::ranges::any_of(staying, [&](const PlannedPoint* other) {
           return whole.contains({other->point.id, other->point.copy});
         });
}

bool goes_from(const Ground& ground, const PlannedPoint& planned) {
  return planned.point.repository_id == ground.repository && !planned.judgement.stays();
}

// Searches the places that stay for a whole one, and adds it. Returns why there is none, or "".
Result<std::string> prove_one(const std::vector<const PlannedPoint*>& staying, const std::set<Id>& in_order,
                              const Prove& prove, WholePlaces& whole) {
  std::string why = "none of its other places can be checked now";
  for (const PlannedPoint* other : staying) {
    if (!in_order.contains(other->point.repository_id)) continue;
    if (other->point.damaged) {
      why = fmt::format("its place in repository '{}' is damaged", other->repository);
      continue;
    }
    HF_TRY(const std::string fault, prove(other->point.id, other->point.copy));
    if (fault.empty()) {
      whole.insert({other->point.id, other->point.copy});
      return "";
    }
    why = fmt::format("its place in repository '{}' can't replace it: {}", other->repository, fault);
  }
  return why;
}

// Reads what removals from this repository rely on. Runs before the transaction, because it takes as long as
// the reading does.
Result<WholePlaces> prove_what_stays(const Ground& ground, const PrunedMachine& pruned, const Prove& prove) {
  const std::set<Id> in_order = in_order_elsewhere(ground, pruned);
  HF_TRY(const Plan plan, ground.services.catalog.read([&](db::Connection& db) {
    return make_plan(db, ground.services.readers, ground.machine, ground.services.clock.now());
  }));
  WholePlaces whole;
  for (const PlannedPoint& going : plan.points) {
    if (!goes_from(ground, going)) continue;
    const auto staying = staying_besides(plan, going);
    if (staying.empty()) continue;
    HF_TRY(const std::string why, prove_one(staying, in_order, prove, whole));
    if (!why.empty())
      ground.outcome.put_off.push_back(
          fmt::format("point {} stays in repository '{}': {}", going.point.name, ground.name, why));
  }
  return whole;
}

// Retires everything that was judged to go, in one transaction, while no image can be opened.
Result<> retire_judged(const Ground& ground, const PrunedMachine& pruned, const Prove& prove) {
  const Machine& machine = pruned.machine;
  HF_TRY(const WholePlaces whole, prove_what_stays(ground, pruned, prove));
  const Time now = ground.services.clock.now();
  const auto nobody_opens = ground.services.readers.changing(ground.repository);
  std::vector<std::string> gone, moved, told;
  HF_CHECK(ground.services.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Plan plan, make_plan(db, ground.services.readers, machine.id, now));
    for (const PlannedPoint& planned : plan.points) {
      if (!goes_from(ground, planned) || !may_go(plan, planned, whole)) continue;
      const auto left = retire_one(db, planned, now);
      if (!left && left.error().code == EBUSY) continue;  // the sweep after its capture is not done
      HF_CHECK(left);
      const bool is_over = plan.retirement.has_value();
      HF_CHECK(record(db, gone_event(ground, machine, planned, *left, is_over)));
      told.push_back(gone_sentence(ground, planned, *left, is_over));
      (*left == Left::nowhere ? gone : moved).push_back(planned.point.name);
    }
    return {};
  }));
  std::ranges::move(gone, std::back_inserter(ground.outcome.gone));
  std::ranges::move(moved, std::back_inserter(ground.outcome.moved));
  std::ranges::move(told, std::back_inserter(ground.outcome.told));
  return {};
}

Result<> give_up_orphans(const Ground& ground) {
  HF_TRY(const auto found, ground.services.catalog.read([&](db::Connection& db) {
    return orphans(db, ground.machine, ground.repository);
  }));
  for (const Copy& copy : found)
    HF_CHECK(repository::give_up_copy(ground.services, *ground.place, ground.key, copy));
  return {};
}

Result<> prune_in(const Ground& ground, const PrunedMachine& pruned, Judging judging, const Prove& prove) {
  HF_CHECK(resume_merges(ground));
  HF_CHECK(check_listing(ground));
  HF_CHECK(give_up_orphans(ground));
  if (judging == Judging::by_policy) {
    if (const auto doubt = ground.services.clock_watch.doubt())
      ground.outcome.put_off.push_back(*doubt);
    else
      HF_CHECK(retire_judged(ground, pruned, prove));
  }
  HF_CHECK(mark_retired(ground));
  HF_TRY(std::string aside, lies_aside(ground));
  if (!aside.empty()) {
    ground.outcome.put_off.push_back(std::move(aside));
    return {};
  }
  HF_CHECK(remove_unneeded(ground));
  HF_CHECK(punch_hidden(ground));
  return merge_towers(ground);
}

std::string joined(const std::vector<std::string>& sentences) {
  std::string text;
  for (const std::string& sentence : sentences) text += (text.empty() ? "" : "; ") + sentence;
  return text;
}

// Points that go take the records of their unwanted bitmaps along.
void sweep_source(const capture::Services& services, const Machine& machine) {
  const auto swept = services.catalog.read([&](db::Connection& db) -> Result<bool> {
    HF_TRY(const auto leftovers, Leftovers(db).of_machine(machine.id));
    return leftovers.empty();
  });
  if (swept && *swept) return;
  if (const auto done = capture::let_go(services, machine.id); !done)
    log::warning("machine '{}': {}", machine.name, done.error().message);
}

const source::Cancel& never() {
  static const source::Cancel cancel;
  return cancel;
}

}  // namespace

Result<PruneOutcome> prune(const capture::Services& services, Id machine, Judging judging, const Prove& prove,
                           const source::Cancel& cancel) {
  PruneOutcome outcome;
  HF_TRY(const PrunedMachine pruned, find_pruned(services.catalog, machine));
  const auto nobody_studies = services.readers.clear(machine);
  if (!nobody_studies)
    return fail(EBUSY, "the points of machine '{}' are being verified; prune when the verification has ended",
                pruned.machine.name);
  if (judging == Judging::by_policy) sweep_source(services, pruned.machine);
  for (const Repository& repository : pruned.repositories) {
    HF_TRY(const bool is_needed, has_work(services, machine, repository.id));
    if (!is_needed) continue;
    auto place = writable_place(services, repository);
    auto done = place ? Result<>{} : Result<>(tl::make_unexpected(place.error()));
    if (place) {
      const Ground ground = Ground::of(services, pruned.machine, repository, *place, cancel, outcome);
      done = prune_in(ground, pruned, judging, prove);
    }
    if (done) continue;
    if (done.error().code == ECANCELED) return tl::make_unexpected(done.error());
    outcome.refused = true;
    outcome.put_off.push_back(done.error().message);
  }
  HF_CHECK(services.catalog.write([&](db::Connection& db) -> Result<> {
    HF_CHECK(Retention(db).set_warning(machine, joined(outcome.put_off)));
    return Retention(db).set_due(machine, !outcome.put_off.empty());
  }));
  return outcome;
}

Result<> retire_point(const capture::Services& services, Id id, const Caller& caller) {
  HF_TRY(const Point point, services.catalog.read([&](db::Connection& db) { return Points(db).get(id); }));
  HF_TRY(const PrunedMachine pruned, find_pruned(services.catalog, point.machine_id));
  const auto repository = std::ranges::find(pruned.repositories, point.repository_id, &Repository::id);
  HF_TRY(const auto place, writable_place(services, *repository));
  PruneOutcome outcome;
  HF_CHECK(check_listing(Ground::of(services, pruned.machine, *repository, place, never(), outcome)));

  const Time now = services.clock_watch.proven();  // decides whether a pin has ended
  // The copies go as well. The gates are taken in one order, and by others one at a time.
  std::vector<std::unique_ptr<ExclusiveLock>> nobody_opens;
  std::set<Id> gates;
  for (const Repository& one : pruned.repositories) gates.insert(one.id);
  for (const Id gate : gates) nobody_opens.emplace_back(new ExclusiveLock(services.readers.changing(gate)));
  return services.catalog.write([&](db::Connection& db) -> Result<> {
    HF_TRY(const Plan plan, make_plan(db, services.readers, point.machine_id, now));
    const auto planned =
        std::ranges::find(plan.points, id, [](const PlannedPoint& one) { return one.point.id; });
    if (planned == plan.points.end()) return fail(ENOENT, "point '{}' has gone", point.name);
    if (const std::string held = held_against_removal(plan, id); !held.empty())
      return fail(EBUSY, "point '{}' stays: {}", point.name, held);
    HF_CHECK(Retention(db).retire_altogether(id, now));
    Event event = make_event(services.clock.now(), "point.remove",
                             fmt::format("machines/{}/points/{}", pruned.machine.name, point.name), caller);
    event.owner = pruned.machine.ownership;
    return record(db, event);
  });
}

Result<> finish_merges(const capture::Services& services, Id machine) {
  HF_TRY(const auto merging,
         services.catalog.read([](db::Connection& db) { return Retention(db).merging(); }));
  if (std::ranges::find(merging, machine) == merging.end()) return {};
  HF_TRY(const PrunedMachine pruned, find_pruned(services.catalog, machine));
  Result<> first;
  for (const Repository& repository : pruned.repositories) {
    HF_TRY(const auto layers, services.catalog.read([&](db::Connection& db) {
      return Retention(db).layers(machine, repository.id);
    }));
    if (std::ranges::none_of(layers, is_merging)) continue;
    PruneOutcome outcome;
    const auto place = writable_place(services, repository);
    const auto done =
        place ? resume_merges(Ground::of(services, pruned.machine, repository, *place, never(), outcome))
              : Result<>(tl::make_unexpected(place.error()));
    if (!done && first) first = done;
  }
  return first;
}

}  // namespace holdfast::retention
