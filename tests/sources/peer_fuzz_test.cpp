// Runs libFuzzer's work briefly: every script of the corpus, and mutants of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/lib/random.h"
#include "tests/sources/peer_fuzz.h"

namespace holdfast::test {
namespace {

std::vector<std::string> scripts() {
  std::vector<std::string> found;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(__FILE__).parent_path() / "corpus")) {
    std::ostringstream text;
    text << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    found.push_back(text.str());
  }
  return found;
}

void run(const std::string& script) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(script.data()), script.size());
}

TEST(LyingPeers, mutants_of_answers_do_no_harm) {
  Random random;
  const auto found = scripts();
  ASSERT_GE(found.size(), 5u);
  for (const std::string& script : found) run(script);
  for (int i = 0; i < 300; ++i) {
    std::string mutant = random.pick<std::string>(found);
    for (std::uint64_t n = random.between(1, 10); n != 0 && !mutant.empty(); --n) {
      char& changed = mutant[random.below(mutant.size())];
      changed = random.one_in(2) ? mutant[random.below(mutant.size())] : static_cast<char>(random.next());
    }
    run(mutant);
  }
}

}  // namespace
}  // namespace holdfast::test
