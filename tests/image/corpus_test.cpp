// Runs libFuzzer's work briefly: every image of the corpus, and mutants of them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/image/fixture.h"
#include "tests/image/stack_fuzz.h"
#include "tests/lib/memory_file.h"

namespace holdfast::image::test {
namespace {

std::vector<Bytes> corpus() {
  std::vector<Bytes> inputs;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(__FILE__).parent_path() / "corpus")) {
    Bytes bytes(entry.file_size());
    std::ifstream(entry.path(), std::ios::binary)
        .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    inputs.push_back(std::move(bytes));
  }
  return inputs;
}

void run(const Bytes& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
}

TEST(Corpus, some_images_of_the_corpus_are_read) {
  std::size_t readable = 0;
  for (const Bytes& input : corpus())
    readable += inspect(holdfast::test::MemoryFile("input", input)).has_value();
  EXPECT_GT(readable, 10u);
}

TEST(Corpus, mutants_of_the_corpus_do_no_harm) {
  Random random;
  const auto inputs = corpus();
  for (const Bytes& input : inputs) run(input);
  for (std::size_t i = 0; i < tries(200, 5000); ++i) {
    Bytes mutant = random.pick<Bytes>(inputs);
    for (std::uint64_t n = random.between(1, 10); n != 0 && !mutant.empty(); --n) {
      // Half of the mutants change the header, and the others mostly the tables behind it.
      const std::uint64_t range =
          std::min<std::uint64_t>(mutant.size(), random.one_in(2) ? 120 : mutant.size());
      mutant[random.below(range)] =
          static_cast<std::byte>(random.one_in(3) ? random.next() : random.below(3));
    }
    run(mutant);
  }
}

}  // namespace
}  // namespace holdfast::image::test
