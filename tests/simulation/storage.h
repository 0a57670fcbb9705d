// File systems of the simulation: that of the catalog and one per repository, each a file system in memory of
// its own. The calls of the engine and of SQLite come through here. They fail, hang, find no room, and lose
// in a power failure what was not synced.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/error.h"
#include "tests/simulation/order.h"

namespace holdfast::simulation::storage {

constexpr std::size_t kAreas = 3;
constexpr std::string_view kRoots[kAreas] = {"/mnt/state", "/mnt/r0", "/mnt/r1"};
constexpr std::size_t kState = 0;

// The condition of one file system; shared by all lives.
struct Area {
  std::int64_t hangs_until = 0;  // a time of the simulation
  bool is_away = false;
  unsigned errors = 0;                              // calls of a thousand that fail with EIO
  std::uint64_t room = 0;                           // bytes; 0: plenty
  std::int64_t sick_at = -(std::int64_t{1} << 62);  // the last time that a look saw it out of order
};

// Laws that the file systems break when the simulation switches them off.
struct Broken {
  bool syncs = false;     // 2: a sync of a repository makes nothing durable
  bool holes = false;     // 11: a hole takes the neighbouring cluster with it
  bool asides = false;    // 12: a directory that is to be set aside goes
  bool cleaning = false;  // 14: what a full repository made a run leave stays
  bool sums = false;      // 13: every checksum is the same
};

// Makes the file systems, empty.
void make();
// Begins to watch the calls of this process.
void begin(Order& order, Area (&areas)[kAreas], const Broken& broken);
// Undoes a part of what was not synced. The process must end then.
void lose_power();
void set_room(std::size_t area, std::uint64_t bytes);
void take_away(std::size_t area);
void bring_back(std::size_t area);
// Copies the content, or puts an earlier copy in its place.
void keep_copy(std::size_t area);
void put_copy_back(std::size_t area);
bool has_copy(std::size_t area);
// Directories in which something has changed since the last call, without those that end in .partial.
std::set<std::string> take_changed();
// Files that repositories have lost since the last call, without those of unfinished points.
struct Lost {
  std::string path;
  bool is_replaced = false;  // another has taken the place
};
std::vector<Lost> take_lost();
// Directories of unfinished points that this life has made and not removed.
std::set<std::string> unfinished();
// Flips a bit of an image below the directory; returns false if there is none.
bool flip_bit(const std::string& directory, Dice& dice);

// Waits until the file system of the path answers; ETIMEDOUT if it does not in that time.
Result<> await_answer(const std::string& path, std::optional<std::chrono::milliseconds> patience);

// While one lives, the calls of its thread go past the simulation.
class Outside {
 public:
  Outside();
  ~Outside();
  Outside(const Outside&) = delete;
};

}  // namespace holdfast::simulation::storage
