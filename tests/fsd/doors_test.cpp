// Runs the fuzzers' work briefly: every text of the corpora, mutants of them, and texts that once crashed the
// daemon.
#include "tests/fsd/doors.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/lib/random.h"

namespace holdfast::doors::test {
namespace {

using holdfast::test::Random;

std::vector<std::string> corpus_of(const Door& door) {
  std::vector<std::string> texts;
  const auto folder = std::filesystem::path(__FILE__).parent_path() / "corpus" / door.name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

std::string mutant(Random& random, std::span<const std::string> corpus) {
  std::string text = random.pick(corpus);
  for (auto changes = random.between(1, 4); changes > 0; --changes) {
    const std::size_t at = random.below(text.size() + 1);
    const std::size_t length = random.below(std::min<std::size_t>(text.size() - at, 20) + 1);
    switch (random.below(4)) {
      case 0: text.erase(at, length); break;
      case 1: text.insert(at, text.substr(at, length)); break;
      case 2: text.insert(at, 1, static_cast<char>(random.below(256))); break;
      default: {
        const std::string& other = random.pick(corpus);
        text.replace(at, length, other.substr(random.below(other.size() + 1), 20));
      }
    }
  }
  return text;
}

// Returns the first complaint about a text of the corpus or a mutant; "" if there is none.
std::string complaint(const Door& door, bool faulty) {
  const auto corpus = corpus_of(door);
  for (const std::string& text : corpus)
    if (auto wrong = door.take(text, faulty); !wrong.empty()) return wrong + " (" + text + ")";
  Random random;
  for (std::size_t i = 0; i < holdfast::test::tries(2000, 200'000); ++i) {
    const std::string text = mutant(random, corpus);
    if (auto wrong = door.take(text, faulty); !wrong.empty()) return wrong + " (" + text + ")";
  }
  return "";
}

class EveryDoor : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(Of, EveryDoor, testing::ValuesIn(doors().begin(), doors().end()),
                         [](const auto& door) { return std::string{door.param.name}; });

TEST_P(EveryDoor, mutants_of_the_corpus_are_taken_or_refused) { EXPECT_EQ(complaint(GetParam(), false), ""); }

TEST_P(EveryDoor, a_fault_behind_accepted_texts_is_found) { EXPECT_NE(complaint(GetParam(), true), ""); }

TEST_P(EveryDoor, a_text_of_brackets_quotes_or_names_alone_is_no_trouble) {
  for (const std::string_view piece :
       {"[", "{\"a\":", "\"", "\\", "run text=\"", "machine 'a', ", "machines/a/", "a."}) {
    std::string text;
    while (text.size() < 100'000) text += piece;
    EXPECT_EQ(GetParam().take(text, false), "") << piece;
    EXPECT_EQ(GetParam().take("set a=" + text, false), "") << piece;
  }
}

// 500,000 brackets as a guest's answer crashed the daemon, where a reader without limits copied them.
TEST(Brackets, a_reader_without_limits_dies_of_them) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const std::string brackets = std::string(500'000, '[') + std::string(500'000, ']');
        const auto parsed = nlohmann::json::parse(brackets);
        const nlohmann::json copy = parsed;
        std::exit(copy == parsed ? 0 : 1);
      },
      "");
}

}  // namespace
}  // namespace holdfast::doors::test
