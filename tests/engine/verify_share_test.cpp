// Simulates months of verifications by policy, hour by hour, and compares them with plain counting.
#include "engine/verify/share.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "catalog/base/id_time.h"
#include "tests/lib/random.h"

namespace holdfast::verify {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::hours;
using test::Random;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kBegin{1'800'000'000s};
constexpr hours kBacklog{24};
constexpr double kRounding = 200;  // bytes; moments are whole milliseconds

// Layers of a repository, and a record of each reading.
struct World {
  std::vector<Readings::ReadLayer> layers;
  std::vector<Readings::Shown> shown;
  std::map<Id, std::chrono::seconds> spans;
  struct Reading {
    Time at{};
    Id layer = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<Reading> readings;
  std::map<Id, std::optional<Time>> done_until;
  std::map<Id, Time> tried;

  Readings::ReadLayer& layer(Id id) { return *std::ranges::find(layers, id, &Readings::ReadLayer::id); }
  Id add(std::uint64_t bytes, std::optional<Id> parent = {}) {
    const Id id = first_id_at(kBegin - 1h) + static_cast<Id>(layers.size());
    layers.push_back({.id = id, .parent = parent, .bytes = bytes, .read_at = {}, .sound = false});
    return id;
  }
  bool rests_on(Id top, Id below) {
    for (std::optional<Id> at = top; at; at = layer(*at).parent)
      if (*at == below) return true;
    return false;
  }
  // The policy that a layer belongs to, by trying all.
  std::optional<Id> owner(Id id) {
    std::optional<Id> found;
    for (const auto& [top, policy] : shown) {
      if (!spans.contains(policy) || !rests_on(top, id)) continue;
      if (!found || std::pair(spans.at(policy), policy) < std::pair(spans.at(*found), *found)) found = policy;
    }
    return found;
  }

  using Reads = std::function<bool(Id layer)>;  // whether the layer can be read
  void look(Time now, const Reads& reads) {
    for (const auto& [policy, portion] : portions_of(layers, shown, spans, tried, now)) {
      Time at = now;  // readings take a moment each
      Time until = bounded(done_until[policy], portion, kBacklog, now);
      for (const Due& due : due_now(portion, until, now)) {
        if (reads(due.layer)) {
          readings.push_back({at, due.layer, due.bytes});
          layer(due.layer).read_at = at;
        } else {
          tried[due.layer] = at;
        }
        at += 1ms;
        until = moved(until, portion, due.bytes);
      }
      done_until[policy] = until;
    }
  }
  void go_on(
      Time from, Time to, const Reads& reads = [](Id) { return true; }) {
    for (Time now = from; now < to; now += hours{1}) look(now, reads);
  }
  // Layers that belong to the policy and were not read in this time.
  std::vector<Id> unread(Id policy, Time from, Time to) {
    std::set<Id> read;
    for (const Reading& one : readings)
      if (one.at >= from && one.at < to) read.insert(one.layer);
    std::vector<Id> missing;
    for (const auto& one : layers)
      if (owner(one.id) == policy && !read.contains(one.id)) missing.push_back(one.id);
    return missing;
  }
  std::uint64_t read_bytes(Id policy, Time from, Time to) {
    std::uint64_t bytes = 0;
    for (const Reading& one : readings)
      if (one.at >= from && one.at < to && owner(one.layer) == policy) bytes += one.bytes;
    return bytes;
  }
  std::uint64_t bytes_of(Id policy) {
    std::uint64_t bytes = 0;
    for (const auto& one : layers)
      if (owner(one.id) == policy) bytes += one.bytes;
    return bytes;
  }
  std::uint64_t largest() { return std::ranges::max_element(layers, {}, &Readings::ReadLayer::bytes)->bytes; }
};

World random_world(Random& random) {
  World world;
  world.spans = {{1, days{random.between(1, 40)}}, {2, days{random.between(1, 40)}}};
  const auto count = random.between(1, 60);
  std::vector<Id> ids;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::optional<Id> parent;
    if (!ids.empty() && !random.one_in(4)) parent = ids[random.below(ids.size())];
    const std::uint64_t bytes = random.one_in(5) ? random.between(1, 1'000'000) : random.between(1, 1000);
    ids.push_back(world.add(bytes, parent));
    // Policy 3 does not ask for verification.
    if (!random.one_in(3)) world.shown.push_back({ids.back(), static_cast<Id>(random.between(1, 3))});
  }
  return world;
}

TEST(VerifyShare, everything_is_read_once_in_the_span_and_no_day_reads_more_than_its_share) {
  Random random;
  for (int round = 0; round < 25; ++round) {
    World world = random_world(random);
    const Time end = kBegin + days{90};
    world.go_on(kBegin, end);
    for (const auto& [policy, span] : world.spans) {
      for (Time from = kBegin; from + span <= end; from += span)
        EXPECT_THAT(world.unread(policy, from, from + span + hours{1}), IsEmpty()) << "round " << round;
      const double a_day =
          static_cast<double>(world.bytes_of(policy)) * (std::chrono::duration<double>(days{1}) / span);
      for (Time day = kBegin; day < end; day += days{1}) {
        // The first look makes up for a day.
        const double shares = day == kBegin ? 2 : 1;
        EXPECT_LE(static_cast<double>(world.read_bytes(policy, day, day + days{1})),
                  shares * a_day + kRounding + static_cast<double>(world.largest()))
            << "round " << round;
      }
    }
    for (const auto& reading : world.readings) EXPECT_TRUE(world.owner(reading.layer));
  }
}

TEST(VerifyShare, a_reader_that_leaves_one_layer_out_is_found_by_the_same_count) {
  World world;
  for (int i = 0; i < 10; ++i) world.shown.push_back({world.add(100), 1});
  world.spans = {{1, days{10}}};
  const Id left_out = world.layers[4].id;
  world.go_on(kBegin, kBegin + days{10}, [&](Id layer) { return layer != left_out; });
  EXPECT_THAT(world.unread(1, kBegin, kBegin + days{10}), ElementsAre(left_out));
}

TEST(VerifyShare, a_layer_that_cannot_be_read_delays_no_other) {
  World world;
  const Id sick = world.add(1'000'000);
  world.shown.push_back({sick, 1});
  for (int i = 0; i < 20; ++i) world.shown.push_back({world.add(100), 1});
  world.spans = {{1, days{10}}};
  world.go_on(kBegin, kBegin + days{20}, [&](Id layer) { return layer != sick; });
  EXPECT_THAT(world.unread(1, kBegin, kBegin + days{20}), ElementsAre(sick));
}

TEST(VerifyShare, a_daemon_that_was_off_for_months_makes_up_for_a_day) {
  World world;
  for (int i = 0; i < 60; ++i) world.shown.push_back({world.add(100), 1});
  world.spans = {{1, days{30}}};
  world.go_on(kBegin, kBegin + days{30});
  const Time later = kBegin + days{130};
  world.look(later, [](Id) { return true; });
  EXPECT_EQ(world.read_bytes(1, later, later + hours{1}), 200);
}

TEST(VerifyShare, a_clock_that_is_put_back_neither_stops_nor_repeats_the_readings) {
  World world;
  for (int i = 0; i < 60; ++i) world.shown.push_back({world.add(100), 1});
  world.spans = {{1, days{30}}};
  world.go_on(kBegin + days{1000}, kBegin + days{1030});
  world.go_on(kBegin, kBegin + days{31});
  EXPECT_THAT(world.unread(1, kBegin, kBegin + days{31}), IsEmpty());
  EXPECT_LE(world.read_bytes(1, kBegin, kBegin + days{31}), 31U * 200 + 200);
}

TEST(VerifyShare, the_shortest_span_decides_for_what_two_policies_share) {
  World world;
  const Id full = world.add(100), daily = world.add(10, full), weekly = world.add(10, full);
  world.spans = {{1, days{30}}, {2, days{7}}};
  world.shown = {{daily, 1}, {weekly, 2}};
  const auto portions = portions_of(world.layers, world.shown, world.spans, {}, kBegin);
  EXPECT_EQ(portions.at(1).bytes, 10);
  EXPECT_EQ(portions.at(2).bytes, 110);
}

TEST(VerifyShare, a_reading_counts_for_the_span_and_a_day) {
  World world;
  world.shown.push_back({world.add(100), 1});
  world.spans = {{1, days{30}}};
  world.layers[0].sound = true;
  world.layers[0].read_at = kBegin;
  const auto outdated = [&](Time now) {
    return portions_of(world.layers, world.shown, world.spans, {}, now).at(1).layers[0].outdated;
  };
  EXPECT_FALSE(outdated(kBegin + days{31}));
  EXPECT_TRUE(outdated(kBegin + days{31} + 1ms));
}

}  // namespace
}  // namespace holdfast::verify
