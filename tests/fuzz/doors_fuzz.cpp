// A door under libFuzzer: --door=NAME chooses it, --faulty gives it a fault that must be found.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fsd/doors.h"

namespace {

const holdfast::doors::Door* chosen = nullptr;
bool faulty = false;

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* count, char*** words) {
  constexpr std::string_view kDoor = "--door=";
  for (const std::string_view word : std::span{*words, static_cast<std::size_t>(*count)}) {
    if (word == "--faulty") faulty = true;
    if (!word.starts_with(kDoor)) continue;
    const auto doors = holdfast::doors::doors();
    const auto found = std::ranges::find(doors, word.substr(kDoor.size()), &holdfast::doors::Door::name);
    if (found != doors.end()) chosen = &*found;
  }
  if (chosen != nullptr) return 0;
  std::fputs("write --door=NAME, a name of tests/fsd/doors.h\n", stderr);
  std::exit(2);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wrong = chosen->take({reinterpret_cast<const char*>(data), size}, faulty);
  if (wrong.empty()) return 0;
  std::fprintf(stderr, "%s\n", wrong.c_str());
  std::abort();
}
