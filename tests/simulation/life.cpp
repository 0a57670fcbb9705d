#include "tests/simulation/life.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "tests/lib/driver_fields.h"
#include "tests/lib/must.h"
#include "tests/simulation/judge.h"
#include "tests/simulation/threads.h"

namespace holdfast::simulation {
namespace {

using test::must;

constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMillisecond;
constexpr std::int64_t kHour = 3600 * kSecond;

constexpr std::uint64_t kPaces[] = {2, 6, 20, 60, 200};

[[noreturn]] void die() {
  World& all = world();
  if (all.order.power_fails) storage::lose_power();
  all.order.power_fails ? ++all.power_failures : ++all.kills;
  all.order.power_fails = false;
  all.order.kill_in = 0;
  ::_exit(kEnded);
}

// Defines all objects, as a person does at first.
void define(Engine& engine) {
  Objects& objects = engine.objects();
  const auto made = [&](ObjectKind kind, const std::string& name) {
    const auto known = objects.find(kind, 0, name);
    return known ? *known : must(objects.create(kind, name, {}));
  };
  for (std::size_t number = 0; number < kRepositories; ++number) {
    RepositoryDefinition repository;
    repository.path = storage::kRoots[1 + number];
    repository.cluster_size = number == 0 ? 4096 : 8192;
    repository.compression = number == 0 ? Compression::zstd : Compression::deflate;
    must(objects.define(made(ObjectKind::repository, fmt::format("r{}", number)), repository, {}));
  }
  PolicyDefinition policy;
  policy.keep_last = static_cast<int>(kKept);
  policy.retries = 0;
  must(objects.define(made(ObjectKind::policy, "p"), policy, {}));
  must(objects.create(ObjectKind::group, "g", {}));
  const Id group = must(objects.find(ObjectKind::group, 0, "g"));
  must(objects.define(group, GroupDefinition{}, {}));
  for (std::size_t number = 0; number < kMachines; ++number) {
    MachineDefinition machine;
    machine.driver = "qmp";
    machine.fields = driver_fields({{"socket", fmt::format("/mnt/machine-{}", number)}});
    for (unsigned disk = 0; disk < world().machines[number].count; ++disk)
      machine.disks.push_back(a_disk(fmt::format("disk-{}", disk), {{"node", fmt::format("node-{}", disk)}}));
    const Id id = made(ObjectKind::machine, fmt::format("m{}", number));
    must(objects.define(id, machine, {}));
    must(objects.add_member(group, id, {}));
  }
  ScheduleDefinition schedule;
  schedule.every = std::chrono::hours{2};
  must(objects.define(made(ObjectKind::schedule, "s"), schedule, {}));
  FlowDefinition flow;
  flow.target = "groups/g";
  flow.repository = "r0";
  flow.policy = "p";
  flow.schedule = "s";
  must(objects.define(made(ObjectKind::flow, "a"), flow, {}));
  flow = {};
  flow.target = "machines/m0";
  flow.repository = "r1";
  must(objects.define(made(ObjectKind::flow, "b"), flow, {}));
  flow = {};
  flow.type = FlowType::replication;
  flow.target = "machines/m0";
  flow.from = "r0";
  flow.repository = "r1";
  must(objects.define(made(ObjectKind::flow, "c"), flow, {}));
}

class Life {
 public:
  explicit Life(Engine& engine) : engine_(engine), judge_(engine) {}

  void go_on() {
    // A kill may come in between: the next life looks again.
    if (all_.rolls_back) judge_.look_at_older_catalog();
    if (all_.older > 0) judge_.look_at_older_tree(all_.older - 1);
    all_.rolls_back = false;
    all_.older = 0;
    judge_.look();
    std::size_t points = all_.points;
    while (all_.steps < kSteps) {
      // A catalog that began the newest point and does not know that it was committed.
      if (all_.order.has_copied && all_.points > points) roll_back();
      points = all_.points;
      const unsigned step = all_.steps++;
      const Step& chosen = choose();
      note(all_.order, chosen.name, step, 0);
      try {
        (this->*chosen.take)();
      } catch (const std::runtime_error&) {
        // A person, too, gets errors from a catalog that is out of order.
        if (!is_sick(all_.areas[storage::kState])) throw;
      }
      let_time_pass();
      judge_.look();
    }
    rest();
    judge_.close_all();
  }

 private:
  struct Step {
    unsigned weight;
    const char* name;
    void (Life::*take)();
  };

  static bool is_sick(const storage::Area& area) { return area.errors > 0 || area.room > 0; }

  const Step& choose() {
    static constexpr Step kAll[] = {
        {30, "write", &Life::write},
        {22, "run", &Life::run},
        {4, "verify", &Life::verify},
        {4, "prune", &Life::prune},
        {3, "remove", &Life::remove},
        {4, "pin", &Life::pin},
        {6, "judge", &Life::judge},
        {8, "read", &Life::read},
        {5, "open", &Life::open},
        {3, "close", &Life::close},
        {3, "cancel", &Life::cancel},
        {6, "sicken a source", &Life::sicken_source},
        {6, "heal a source", &Life::heal_source},
        {6, "sicken a repository", &Life::sicken_repository},
        {8, "heal a repository", &Life::heal_repository},
        {5, "kill", &Life::kill},
        {1, "stop", &Life::stop},
        {2, "keep a copy of the catalog", &Life::keep_catalog},
        {2, "roll the catalog back", &Life::roll_back},
        {2, "keep the catalog of the next commit", &Life::keep_catalog_of_commit},
        {2, "keep a copy of a repository", &Life::keep_repository},
        {2, "bring an older tree", &Life::bring_older_tree},
        {1, "sicken the catalog", &Life::sicken_catalog},
        {1, "set the clock", &Life::set_clock},
        {3, "flip a bit", &Life::flip_bit},
        {2, "resize", &Life::resize_disk},
        {2, "rest", &Life::rest},
        {5, "wait", &Life::wait},
    };
    std::uint64_t sum = 0;
    for (const Step& step : kAll) sum += step.weight;
    std::uint64_t chosen = dice_.below(sum);
    for (const Step& step : kAll) {
      if (chosen < step.weight) return step;
      chosen -= step.weight;
    }
    std::abort();
  }

  void let_time_pass() {
    constexpr std::int64_t kAtMost[] = {1, kMillisecond, 50 * kMillisecond, kSecond, 30 * kSecond};
    threads::sleep_for(static_cast<std::int64_t>(
        dice_.below(static_cast<std::uint64_t>(kAtMost[dice_.below(std::size(kAtMost))]))));
  }

  SourceMachine& a_machine() { return all_.machines[dice_.below(kMachines)]; }
  std::size_t a_repository() { return 1 + dice_.below(kRepositories); }
  const Judge::Listed* a_point() {
    return judge_.points().empty() ? nullptr : &judge_.points()[dice_.below(judge_.points().size())];
  }
  std::int64_t a_while() {
    return static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(5 * 60 * kSecond)));
  }

  Id object(ObjectKind kind, const std::string& name) { return must(engine_.objects().find(kind, 0, name)); }

  template <class T>
  void asked(const Result<T>& answer) {
    if (!answer) note(all_.order, answer.error().message, 0, static_cast<std::uint64_t>(answer.error().code));
  }

  void write() { guest_writes(a_machine()); }

  void run() {
    RunRequest request;
    if (dice_.one_in(6)) request.kind = PointKind::full;
    if (dice_.one_in(4)) request.sample = 100;
    ++all_.runs;
    constexpr const char* kFlows[] = {"a", "a", "a", "b", "c"};
    asked(engine_.requests().run(object(ObjectKind::flow, kFlows[dice_.below(std::size(kFlows))]), request,
                                 {}));
  }

  void verify() {
    VerifyRequest request;
    request.level = dice_.one_in(3) ? VerifyLevel::quick : VerifyLevel::checksums;
    asked(engine_.requests().verify(ObjectKind::machine,
                                    object(ObjectKind::machine, dice_.one_in(2) ? "m0" : "m1"), request, {}));
  }

  void prune() {
    asked(engine_.requests().prune(object(ObjectKind::machine, dice_.one_in(2) ? "m0" : "m1"), {}, {}));
  }

  void remove() {
    const Judge::Listed* const point = a_point();
    if (point == nullptr) return;
    Seen& seen = *judge_.seen(point->id);
    const bool before = seen.removed;
    seen.removed = true;  // a kill may come before the answer
    const bool is_held = judge_.is_held(seen);
    const auto removed = engine_.objects().remove(ObjectKind::point, point->id, {});
    asked(removed);
    if (removed && is_held) find(fmt::format("law 12: point {} could be removed", seen.name.view()));
    if (!removed && removed.error().code == EBUSY) seen.removed = before;
  }

  // A point counts as pinned from the answer on, because a kill may come before it.
  void pin() {
    const Judge::Listed* const point = a_point();
    if (point == nullptr) return;
    Seen& seen = *judge_.seen(point->id);
    if (dice_.one_in(2)) {
      const auto pinned = engine_.objects().pin(point->id, {.until = {}, .why = "kept"}, {});
      asked(pinned);
      if (pinned) seen.pinned = true;
    } else {
      seen.pinned = false;
      asked(engine_.objects().unpin(point->id, {}));
    }
  }

  // Points lose a good name more often than they get it back: policies count the good ones.
  void judge() {
    const Judge::Listed* const point = a_point();
    if (point == nullptr) return;
    Seen& seen = *judge_.seen(point->id);
    const bool bad = !dice_.one_in(3);
    if (!bad) seen.bad = seen.was_bad = false;
    const auto judged = engine_.objects().give_verdict(
        point->id, {.result = bad ? VerdictResult::bad : VerdictResult::good, .by = "p", .text = ""}, {});
    asked(judged);
    if (judged && bad) seen.bad = true;
  }

  void read() {
    const Judge::Listed* const point = a_point();
    if (point == nullptr) return;
    const Judge::Listed chosen = *point;
    judge_.read(chosen, *judge_.seen(chosen.id));
  }

  void open() {
    const Judge::Listed* const point = a_point();
    if (point != nullptr) judge_.open(*point);
  }

  void close() { judge_.close_one(dice_); }

  void cancel() {
    asked(engine_.requests().cancel_flow(object(ObjectKind::flow, dice_.one_in(2) ? "a" : "b"), {}));
  }

  void sicken_source() {
    SourceMachine& machine = a_machine();
    switch (dice_.below(6)) {
      case 0: machine.hangs_until = all_.order.now + a_while(); break;
      case 1: machine.refuses_until = all_.order.now + a_while(); break;
      case 2: machine.breaks = 30; break;
      case 3: restart(machine, false); break;
      case 4: restart(machine, true); break;
      case 5: machine.lies = true; break;
      default: break;
    }
  }

  // After a crash the bitmaps are not to be trusted.
  void restart(SourceMachine& machine, bool crashes) {
    ++machine.starts;
    machine.things = {};
    for (SourceDisk& disk : machine.disks)
      for (Bitmap& bitmap : disk.bitmaps)
        if (crashes && !bitmap.name.view().empty()) bitmap.inconsistent = true;
    threads::wake(&machine);
  }

  void heal_source() {
    SourceMachine& machine = a_machine();
    machine.hangs_until = machine.refuses_until = 0;
    machine.breaks = 0;
    machine.lies = false;
    threads::wake(&machine);
  }

  void keep_catalog() { storage::keep_copy(storage::kState); }
  void keep_catalog_of_commit() { all_.order.copies_at_publish = true; }

  // The next life begins with the copy.
  void roll_back() {
    if (!storage::has_copy(storage::kState)) return;
    all_.order.has_copied = false;
    ++all_.rollbacks;
    all_.rolls_back = true;
    for (SourceMachine& machine : all_.machines)
      for (Thing& thing : machine.things) thing.is_forgotten = true;
    ::_exit(kEnded);
  }

  void keep_repository() { storage::keep_copy(a_repository()); }

  // In some histories only, because a point may be damaged by it.
  void bring_older_tree() {
    const std::size_t area = a_repository();
    if (all_.seed % 4 != 1 || !storage::has_copy(area)) return;
    ++all_.older_trees;
    all_.older = area;
    ::_exit(kEnded);
  }

  void sicken_catalog() {
    if (dice_.one_in(2))
      all_.areas[storage::kState].errors = static_cast<unsigned>(dice_.between(1, 50));
    else
      storage::set_room(storage::kState, dice_.between(1, 64) * 4096);
  }

  void set_clock() { all_.order.wall += static_cast<std::int64_t>(dice_.below(36)) * kHour - 6 * kHour; }

  // A copy of the newest point that has one, or all of a repository.
  std::string a_place() {
    const auto& points = judge_.points();
    const auto copied = std::find_if(points.rbegin(), points.rend(),
                                     [](const Judge::Listed& point) { return !point.copies.empty(); });
    if (copied == points.rend() || dice_.one_in(3)) return std::string(storage::kRoots[a_repository()]);
    return fmt::format("{}/{}/{}", storage::kRoots[1 + copied->copies.front()], copied->key, copied->name);
  }

  // In some histories only, because what rests on the bit is not compared any more.
  void flip_bit() {
    if (all_.seed % 3 == 0 && storage::flip_bit(a_place(), dice_)) all_.rot = all_.flipped = true;
  }

  void sicken_repository() {
    const std::size_t area = a_repository();
    switch (dice_.below(4)) {
      case 0: all_.areas[area].hangs_until = all_.order.now + a_while(); break;
      case 1: all_.areas[area].errors = static_cast<unsigned>(dice_.between(1, 200)); break;
      case 2: storage::set_room(area, dice_.between(1, 64) * 4096); break;
      case 3: storage::take_away(area); break;
      default: break;
    }
  }

  void heal(std::size_t area) {
    all_.areas[area].hangs_until = 0;
    all_.areas[area].errors = 0;
    storage::set_room(area, 0);
    storage::bring_back(area);
    threads::wake(&all_.areas[area]);
  }

  void heal_repository() { heal(dice_.below(storage::kAreas)); }

  void kill() {
    all_.order.kill_in = 1 + dice_.below(4000);
    all_.order.power_fails = dice_.one_in(2);
  }

  void stop() {
    judge_.close_all();
    engine_.stop();
    ::_exit(kEnded);
  }

  void resize_disk() {
    SourceMachine& machine = a_machine();
    SourceDisk& disk = machine.disks[dice_.below(machine.count)];
    const unsigned before = disk.content.blocks;
    // Whole clusters of both repositories: only a sample finds what a source hides in a part of one (law 7).
    resize(disk, 2 * static_cast<unsigned>(dice_.between(4, kMostBlocks / 2)));
    if (dice_.one_in(2)) resize(disk, before);
  }

  void wait() {
    threads::sleep_for(static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(2 * kHour))));
  }

  void rest() {
    all_.order.kill_in = 0;
    for (SourceMachine& machine : all_.machines) {
      machine.hangs_until = machine.refuses_until = 0;
      machine.breaks = 0;
      machine.lies = false;
      threads::wake(&machine);
    }
    for (std::size_t area = 0; area < storage::kAreas; ++area) heal(area);
    threads::sleep_for(kHour / 2);
    // A run by the schedule may have begun just now.
    must(engine_.objects().enable_schedule(object(ObjectKind::schedule, "s"), false, {}));
    threads::sleep_for(kHour / 3);
    judge_.look_at_rest();
    must(engine_.objects().enable_schedule(object(ObjectKind::schedule, "s"), true, {}));
  }

  World& all_ = world();
  Dice& dice_ = all_.order.story;
  Engine& engine_;
  Judge judge_;
};

}  // namespace

void live() {
  World& all = world();
  ++all.lives;
  const storage::Broken broken{.syncs = all.off == Off::syncs,
                               .holes = all.off == Off::holes,
                               .asides = all.off == Off::asides,
                               .cleaning = all.off == Off::cleaning,
                               .sums = all.off == Off::sums};
  storage::begin(all.order, all.areas, broken);
  all.order.pace = kPaces[all.order.story.below(std::size(kPaces))];
  threads::begin(all.order, {.killed = die, .stuck = [] { find("every thread waits for another"); }});
  note(all.order, "life", all.lives, 0);
  if (all.older > 0) storage::put_copy_back(all.older);
  if (all.rolls_back) storage::put_copy_back(storage::kState);
  try {
    auto started = Engine::start({.state = "/mnt/state"});
    // A daemon that can't open its catalog says so and ends.
    storage::Area& state = all.areas[storage::kState];
    if (!started && (state.errors > 0 || state.room > 0)) {
      state.errors = 0;
      storage::set_room(storage::kState, 0);
      ::_exit(kEnded);
    }
    if (!started) find("the daemon does not start: " + started.error().message);
    const std::unique_ptr<Engine> engine = *std::move(started);
    if (!std::exchange(all.is_defined, true)) define(*engine);
    Life(*engine).go_on();
    engine->stop();
  } catch (const std::exception& error) {
    find(fmt::format("an exception: {}", error.what()));
  }
  ::_exit(kDone);
}

}  // namespace holdfast::simulation
