#include "fsd/tree/event_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "catalog/stores/flows.h"
#include "tests/fsd/started_engine.h"

namespace holdfast::tree {
namespace {

class EventTextTest : public testing::Test {
 protected:
  std::string read(std::uint64_t offset, std::size_t size) {
    Bytes buffer(size);
    const std::size_t length = *events_.read(part_, reader_, offset, buffer);
    return {reinterpret_cast<const char*>(buffer.data()), length};
  }
  std::string all() { return read(0, 1 << 20); }

  test::StartedEngine started_;
  Engine& engine_ = *started_;
  EventText events_{engine_};
  Id part_ = 0;
  Asker reader_;
};

TEST_F(EventTextTest, the_text_is_empty_before_the_first_event) {
  EXPECT_EQ(events_.length(part_, reader_)->bytes, 0u);
  EXPECT_EQ(all(), "");
}

TEST_F(EventTextTest, the_text_has_an_object_a_line_and_its_real_size) {
  started_.make_events(1000);
  const std::string text = all();
  EXPECT_EQ(text.size(), events_.length(part_, reader_)->bytes);
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_EQ(nlohmann::json::parse(line).at("object"), fmt::format("things/{}", count));
  EXPECT_EQ(count, 1000);
}

TEST_F(EventTextTest, the_text_grows_at_its_end_only) {
  std::string before;
  for (int round = 0; round < 240; ++round) {
    started_.make_events(1 + round % 5);
    const std::uint64_t size = events_.length(part_, reader_)->bytes;
    EXPECT_GT(size, before.size());
    const std::string added = read(before.size(), 4096);
    EXPECT_EQ(before.size() + added.size(), size);
    before += added;
  }
  EXPECT_EQ(all(), before);
}

TEST_F(EventTextTest, any_piece_equals_the_piece_of_the_whole_text) {
  started_.make_events(900);
  const std::string whole = all();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 300; ++i) {
    const std::size_t offset = random() % (whole.size() + 10), size = 1 + random() % 5000;
    EXPECT_EQ(read(offset, size), offset < whole.size() ? whole.substr(offset, size) : "");
  }
}

TEST_F(EventTextTest, a_reader_sees_own_events_and_those_of_visible_objects) {
  const Asker owner{1000, 1000, 1}, member{1001, 1001, 2, {50}}, stranger{1002, 1002, 3};
  const Id flow = *engine_.objects().create(ObjectKind::flow, "his", owner);
  started_.write([&](db::Connection& db) {
    return Flows(db).set_ownership(flow, {.uid = 1000, .gid = 50, .mode = 0750}, started_.clock().now());
  });
  engine_.objects().refused("flow.run", "flows/his", {EBUSY, "it is running"}, Asker{});
  engine_.objects().refused("flow.create", "flows/x", {EACCES, "not yours"}, stranger);
  const auto seen_by = [&](const Asker& who) {
    reader_ = who;
    const std::string text = all();
    EXPECT_EQ(text.size(), events_.length(part_, reader_)->bytes);
    std::vector<std::string> events;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const auto event = nlohmann::json::parse(line);
      events.push_back(event["event"].get<std::string>() + " " + event["object"].get<std::string>());
    }
    return events;
  };
  EXPECT_EQ(seen_by(Asker{}).size(), 3u);
  EXPECT_EQ(seen_by(owner), (std::vector<std::string>{"flow.create flows/his", "flow.run flows/his"}));
  EXPECT_EQ(seen_by(member), (std::vector<std::string>{"flow.run flows/his"}));
  EXPECT_EQ(seen_by(stranger), (std::vector<std::string>{"flow.create flows/x"}));
}

TEST_F(EventTextTest, an_old_part_stays_when_a_new_one_begins) {
  started_.make_events(300);
  const std::string old = all();
  started_.cut_events();
  started_.make_events(3);
  EXPECT_EQ(all(), old);
  const auto parts = *events_.parts("events.jsonl");
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].name, "events.jsonl");
  EXPECT_EQ(parts[1].name, "events.jsonl.1");
  EXPECT_EQ(parts[1].after, part_);
  part_ = parts[0].after;
  const std::string now = all();
  EXPECT_EQ(std::ranges::count(now, '\n'), 3);
  part_ = 4711;
  EXPECT_EQ(events_.length(part_, reader_).error().code, ENOENT);
}

}  // namespace
}  // namespace holdfast::tree
