// The engine in a simulation: histories of 200 steps, each repeated exactly by its seed.
//
//   simulation --seeds FIRST COUNT     runs histories; prints each finding, and what was done in all
//   simulation --trace SEED            runs one, and prints each event
//   simulation --digest SEED           runs one, and prints the digest of its events
//   simulation --keep SEED DIRECTORY   runs one, and copies the file systems as they are at its end
//   simulation --switched-off [COUNT [LAW]]
//                                      switches off one law after another, and prints after how many
//                                      histories it is found
//
// Ends with 1 if a law was broken, or was not found to be.
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "catalog/base/log.h"
#include "catalog/base/sha256.h"
#include "catalog/catalog.h"
#include "tests/lib/must.h"
#include "tests/lib/new_catalog.h"
#include "tests/simulation/life.h"
#include "tests/simulation/switches.h"

namespace holdfast::simulation {
namespace {

constexpr std::int64_t kBeginning = 1'790'000'000'000'000'000;  // nanoseconds since 1970

void lay_out(World& fresh, std::uint64_t seed) {
  fresh.seed = seed;
  Dice dice{seed * 0x9e3779b97f4a7c15 + 1};
  for (Dice* each : {&fresh.order.threads, &fresh.order.storage, &fresh.order.story, &fresh.order.names})
    each->state = dice.next();
  fresh.order.wall = kBeginning;
  for (std::size_t number = 0; number < kMachines; ++number) {
    SourceMachine& machine = fresh.machines[number];
    machine.count = number == 0 ? kDisks : 1;
    for (unsigned disk = 0; disk < machine.count; ++disk) {
      Content& content = machine.disks[disk].content;
      content.blocks = 2 * static_cast<unsigned>(dice.between(4, kMostBlocks / 2));
      for (unsigned block = 0; block < content.blocks; ++block)
        if (dice.one_in(2)) content.writes[block] = ++fresh.writes;
    }
  }
}

// Gives the lives fresh memory in large pages, because a fault for each small page takes longer than its use.
void prepare_memory() {
  constexpr std::size_t kHeap = 24 << 20, kPage = 2 << 20;
  static bool prepared = false;
  if (std::exchange(prepared, true)) return;
  ::malloc_trim(0);
  auto* const heap = static_cast<std::byte*>(std::malloc(kHeap));
  const std::size_t odd = reinterpret_cast<std::uintptr_t>(heap) % kPage;
  ::madvise(heap + kPage - odd, kHeap - kPage, MADV_HUGEPAGE);
  std::free(heap);
}

// Runs one history, life by life.
void run(World& fresh) {
  set_world(fresh);
  storage::make();
  test::put_new_catalog("/mnt/state/catalog.sqlite");
  prepare_memory();
  for (;;) {
    std::fflush(stdout);
    const pid_t child = ::fork();
    if (child == 0) live();
    int status = 0;
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == kEnded) continue;
    if (!WIFEXITED(status) || (WEXITSTATUS(status) != kDone && WEXITSTATUS(status) != kFound))
      fresh.finding.set("the daemon ended with status " + std::to_string(status));
    return;
  }
}

struct Shared {
  void* const memory =
      ::mmap(nullptr, sizeof(World), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  World& world = *new (memory) World;
  ~Shared() { ::munmap(memory, sizeof(World)); }
};

int run_seeds(std::uint64_t first, std::uint64_t count) {
  std::uint64_t found = 0, steps = 0, lives = 0, runs = 0, points = 0, compared = 0, reads = 0, kills = 0,
                failures = 0, rollbacks = 0, instants = 0;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    const Shared shared;
    World& world = shared.world;
    lay_out(world, seed);
    run(world);
    if (!world.finding.view().empty()) {
      ++found;
      std::printf("seed %llu, step %u, life %u: %s\n", static_cast<unsigned long long>(seed), world.steps,
                  world.lives, world.finding.bytes);
      std::fflush(stdout);
    }
    steps += world.steps, lives += world.lives, runs += world.runs, points += world.points,
        compared += world.compared;
    reads += world.reads, kills += world.kills, failures += world.power_failures,
        rollbacks += world.rollbacks, instants += world.order.points;
  }
  std::printf(
      "seeds %llu to %llu: %llu steps, %llu lives (%llu kills, %llu power failures, %llu older catalogs), "
      "%llu runs, %llu points, "
      "%llu images compared, %llu points read, %llu scheduled instants; %llu findings\n",
      static_cast<unsigned long long>(first), static_cast<unsigned long long>(first + count - 1),
      static_cast<unsigned long long>(steps), static_cast<unsigned long long>(lives),
      static_cast<unsigned long long>(kills), static_cast<unsigned long long>(failures),
      static_cast<unsigned long long>(rollbacks), static_cast<unsigned long long>(runs),
      static_cast<unsigned long long>(points), static_cast<unsigned long long>(compared),
      static_cast<unsigned long long>(reads), static_cast<unsigned long long>(instants),
      static_cast<unsigned long long>(found));
  return found == 0 ? 0 : 1;
}

int run_one(std::uint64_t seed, bool prints) {
  const Shared shared;
  lay_out(shared.world, seed);
  shared.world.order.prints = prints;
  run(shared.world);
  std::printf("%016llx %s\n", static_cast<unsigned long long>(shared.world.order.trace),
              shared.world.finding.bytes);
  return shared.world.finding.view().empty() ? 0 : 1;
}

// Returns what a history finds; "" for nothing.
std::string finding_of(std::uint64_t seed, Off off) {
  const Shared shared;
  lay_out(shared.world, seed);
  shared.world.off = off;
  run(shared.world);
  return std::string(shared.world.finding.view());
}

int switch_off(std::uint64_t at_most, std::uint64_t only) {
  int missed = 0;
  for (const Switch& one : kSwitches) {
    if (only != 0 && one.law != only) continue;
    std::uint64_t seed = 0;
    std::string finding;
    // The switch, and nothing else, must be what is found.
    while (finding.empty() && ++seed <= at_most) {
      finding = finding_of(seed, one.off);
      if (!finding.empty() && !finding_of(seed, Off::nothing).empty()) finding.clear();
    }
    if (finding.empty()) ++missed;
    std::printf("law %2u, %s: %s %llu histories%s%s\n", one.law, one.does,
                finding.empty() ? "not found in" : "found after",
                static_cast<unsigned long long>(std::min(seed, at_most)), finding.empty() ? "" : ": ",
                finding.c_str());
    std::fflush(stdout);
  }
  return missed == 0 ? 0 : 1;
}

// A name space of mounts of its own, and one processor, so that a change of threads is quick.
void confine() {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
    std::perror("making a name space of mounts, which needs root");
    std::exit(77);
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

int main(int count, char** arguments) {
  const auto number = [&](int at, std::uint64_t otherwise) {
    return at < count ? std::strtoull(arguments[at], nullptr, 10) : otherwise;
  };
  confine();
  // The daemons' own log, for a person who looks into one history.
  if (std::getenv("SIMULATION_LOG") == nullptr && std::freopen("/dev/null", "w", stderr) == nullptr) return 2;
  static_cast<void>(sha256_hex({}));  // libcrypto prepares itself at its first use
  // Short lives and threads must not fetch their memory from the kernel again and again.
  ::mallopt(M_ARENA_MAX, 1);
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 256 << 20);
  ::sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);  // otherwise SQLite takes a lock for each allocation
  const std::string_view what = count > 1 ? arguments[1] : "";
  if (what == "--seeds") return run_seeds(number(2, 1), number(3, 1));
  if (what == "--trace") return run_one(number(2, 1), true);
  if (what == "--digest") return run_one(number(2, 1), false);
  if (what == "--keep" && count == 4) {
    const int status = run_one(number(2, 1), false);
    std::filesystem::copy("/mnt", arguments[3], std::filesystem::copy_options::recursive);
    return status;
  }
  if (what == "--switched-off") return switch_off(number(2, 200), number(3, 0));
  std::fputs(
      "simulation --seeds FIRST COUNT | --trace SEED | --digest SEED | --keep SEED DIRECTORY | "
      "--switched-off [COUNT [LAW]]\n",
      stderr);
  return 2;
}

}  // namespace
}  // namespace holdfast::simulation

int main(int count, char** arguments) { return holdfast::simulation::main(count, arguments); }
