// State of the simulated file systems, and what a call does to it. Only storage.cpp and storage_calls.cpp use
// this header.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/storage.h"

namespace holdfast::simulation::storage {

// A change of a page of a file that no sync has made durable. `at` and `length` tell which part of the
// file's `before` lay there.
struct Change {
  std::uint64_t offset = 0;
  std::size_t at = 0, length = 0;
  std::uint64_t size_before = 0;
};

struct Unsynced {
  int descriptor = -1;      // opened when the engine closes the file
  std::uint64_t order = 0;  // files are undone in this order
  std::vector<Change> changes;
  std::vector<char> before;
};

struct Naming {
  enum Kind { made_file, made_directory, renamed, removed_file, removed_directory } kind;
  std::string path, to;
  std::string kept;  // the file that the change removed
};

// The bytes of a file of the catalog in memory: half of all calls read or write them.
struct Mapped {
  char* bytes = nullptr;
  std::uint64_t size = 0;
};

struct Opened {
  std::size_t area = kAreas;
  std::shared_ptr<const std::string> path{};
  std::uint64_t inode = 0;
  bool is_directory = false, is_writable = false;
  Mapped* mapped = nullptr;
};

struct Watch {
  Order& order;
  Area* areas;
  Broken broken;
  std::vector<Opened> opened;                          // by descriptor
  std::map<std::uint64_t, Unsynced> unsynced[kAreas];  // by inode
  std::vector<Naming> names[kAreas];
  std::map<std::uint64_t, Mapped> mapped;  // by inode, of the catalog
  std::set<std::string> changed;
  std::set<std::string> partial;
  std::vector<Lost> lost;
  std::uint64_t numbers = 0;
};

extern Watch* watch;  // null: calls go past the simulation

// The file system of a path; kAreas: none.
std::size_t area_of(std::string_view path);
bool is_watched(std::size_t area);
bool is_outside();
// Whether a power failure leaves anything of the file.
bool is_durable(const std::string& path);
// The file of a descriptor, and the path of a name below a directory.
Opened known(int descriptor);
std::string resolved(int directory, const char* path);
std::uint64_t size_of(int descriptor);
std::uint64_t size_of(int descriptor, const Opened& file);
// Whether the mapping of the file may be used.
bool may_map(const Opened& file);

// Begins a call: another thread may go on before it; then it may hang or fail. Returns an errno.
int begin_call(const char* what, std::size_t area, const std::string& path, std::uint64_t value = 0);
// Notes a change of committed files, for those who compare them.
void note_change(std::size_t area, const std::string& path);
// Keeps the content of a range that is about to change.
void keep(int descriptor, const Opened& file, std::uint64_t offset, std::uint64_t length);
// Remembers what the descriptor is of, and forgets it before it is closed.
void remember(int descriptor, std::size_t area, const std::string& path, int flags);
void forget(int descriptor);
// Keeps a file that is about to lose its name. Returns where, "" if there is none.
std::string keep_file(std::size_t area, const std::string& path);
void sync_file(const Opened& file);
// Makes all names of the file system durable, as a journal does.
void sync_names(std::size_t area);

}  // namespace holdfast::simulation::storage
