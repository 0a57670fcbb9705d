#include "fsd/tree/event_text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "tests/fsd/memory_engine.h"

namespace holdfast::tree {
namespace {

class EventTextTest : public testing::Test {
 protected:
  std::string read(std::uint64_t offset, std::size_t size) {
    Bytes buffer(size);
    const std::size_t length = *events_.read(offset, buffer);
    return {reinterpret_cast<const char*>(buffer.data()), length};
  }
  std::string all() { return read(0, 1 << 20); }

  test::TestClock clock_;
  test::MemoryEngine engine_{clock_};
  EventText events_{engine_};
};

TEST_F(EventTextTest, IsEmptyBeforeTheFirstEvent) {
  EXPECT_EQ(events_.extent()->size, 0u);
  EXPECT_EQ(all(), "");
}

TEST_F(EventTextTest, HasOneObjectALineAndItsRealSize) {
  engine_.make_events(1000);
  const std::string text = all();
  EXPECT_EQ(text.size(), events_.extent()->size);
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count)
    EXPECT_EQ(nlohmann::json::parse(line).at("object"), fmt::format("things/{}", count));
  EXPECT_EQ(count, 1000);
}

TEST_F(EventTextTest, GrowsAtItsEndOnly) {
  std::string before;
  for (int round = 0; round < 700; ++round) {
    engine_.make_events(1);
    const std::uint64_t size = events_.extent()->size;
    EXPECT_GT(size, before.size());
    const std::string added = read(before.size(), 4096);
    EXPECT_EQ(before.size() + added.size(), size);
    before += added;
  }
  EXPECT_EQ(all(), before);
}

TEST_F(EventTextTest, GivesAnyPartAsTheWholeHasIt) {
  engine_.make_events(900);
  const std::string whole = all();
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int i = 0; i < 300; ++i) {
    const std::size_t offset = random() % (whole.size() + 10), size = 1 + random() % 5000;
    EXPECT_EQ(read(offset, size), offset < whole.size() ? whole.substr(offset, size) : "");
  }
}

}  // namespace
}  // namespace holdfast::tree
