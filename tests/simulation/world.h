// The truth, whatever the daemon believes: the machines and their disks, what they held at each freeze,
// the file systems, and how far the history has come. It lies in memory that all lives of the daemon share.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "catalog/base/bytes.h"
#include "tests/simulation/order.h"
#include "tests/simulation/storage.h"

namespace holdfast::simulation {

constexpr std::size_t kBlock = 4096;
constexpr unsigned kMostBlocks = 64;  // a dirty bitmap is one word
constexpr std::size_t kMachines = 2;
constexpr std::size_t kDisks = 2;
constexpr std::size_t kRepositories = 2;

template <std::size_t size>
struct Text {
  char bytes[size] = {};
  std::string_view view() const { return bytes; }
  void set(std::string_view text) {
    std::memset(bytes, 0, size);
    std::memcpy(bytes, text.data(), std::min(text.size(), size - 1));
  }
};

// The content of a disk: each block by the number of the write that it has from. 0: zeros.
struct Content {
  unsigned blocks = 0;
  std::array<std::uint32_t, kMostBlocks> writes{};
};

// Fills a block as that write did.
void fill(ByteSpan block, std::uint32_t write);
// The write that a block seems to have from.
std::uint32_t write_in(ByteView block);

struct Bitmap {
  Text<64> name;  // "": none
  bool records = false;
  bool inconsistent = false;
  std::uint64_t dirty = 0;
};

struct SourceDisk {
  Content content;
  std::array<Bitmap, 64> bitmaps{};
};

// A node or an export that a capture made at a source, and must remove.
struct Thing {
  Text<96> name;
  bool is_forgotten = false;  // the catalog may be older than its record
  std::int64_t since = 0;
};

struct SourceMachine {
  std::array<SourceDisk, kDisks> disks;
  unsigned count = 0;  // number of disks
  std::array<Thing, 32> things{};
  std::uint64_t starts = 0;  // a restart takes all things
  std::int64_t hangs_until = 0, refuses_until = 0;
  std::int64_t sick_at = 0;  // the last time that it was seen out of order
  unsigned breaks = 0;       // calls of a thousand after which the connection is lost
  bool lies = false;         // calls blocks unchanged that the guest has emptied
};

struct Freeze {
  std::size_t machine = 0;
  std::array<Text<64>, kDisks> change_ids;
  std::array<Content, kDisks> contents;
};

// Switches that make the simulation break a law; `switches.h` says how.
enum class Off {
  nothing,
  syncs,
  bitmaps,
  instants,
  zeros,
  holes,
  asides,
  pins,
  good,
  policies,
  readers,
  listings,
  numbers,
  sums,
  cleaning,
  ends
};

// A committed point, as first seen.
struct Seen {
  std::int64_t id = 0;
  std::size_t machine = 0;
  std::size_t repository = 0;
  std::size_t freeze = 0;
  std::uint64_t returns = 0;  // older catalogs and trees that came back before
  Text<40> key;               // the machine's directory
  Text<32> name;
  Text<8> flow;
  bool removed = false;            // a person may have removed it
  bool pinned = false;             // a person has pinned it
  bool bad = false;                // a person calls it bad …
  bool was_bad = false;            // … and did so at the last look
  bool whole[kRepositories] = {};  // by repository: files were right at the last look
  bool forgotten = false;          // an older catalog does not know it
  bool gone = false;
};

struct World {
  std::uint64_t seed = 0;
  Off off = Off::nothing;
  Order order;
  storage::Area areas[storage::kAreas];
  std::array<SourceMachine, kMachines> machines;
  std::uint32_t writes = 0;
  std::size_t freezes = 0;
  std::array<Freeze, 4096> frozen;
  std::size_t points = 0;
  std::array<Seen, 2048> seen;
  unsigned steps = 0, lives = 0;
  bool is_defined = false;
  bool rot = false;                   // a bit was flipped: some points can't be read any more
  bool flipped = false;               // … since the last look
  bool rolls_back = false;            // the next life begins with an older catalog
  std::size_t older = 0;              // … with an older tree of this repository
  bool is_ahead[kRepositories] = {};  // has commits that the older catalog can tell it lacks
  std::uint64_t runs = 0, kills = 0, power_failures = 0, rollbacks = 0, older_trees = 0, compared = 0,
                reads = 0;
  Text<1024> finding;  // the law that was broken, and how
};

// The world of this process.
World& world();
void set_world(World& world);

// Writes of a guest. Every recording bitmap of the disk sees them.
void write_block(SourceDisk& disk, unsigned block, bool zeros);
// A guest at work: writes to a few blocks of all disks.
void guest_writes(SourceMachine& machine);
void resize(SourceDisk& disk, unsigned blocks);

}  // namespace holdfast::simulation
