// State of the simulated file systems, and what a call does to it. Only storage.cpp and storage_calls.cpp use
// this header.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulation/storage.h"

namespace holdfast::simulation::storage {

// A change of a file that no sync has made durable.
struct Change {
  std::uint64_t offset = 0;
  std::vector<char> before;  // the bytes that lay there
  std::uint64_t size_before = 0;
};

struct Unsynced {
  int descriptor = -1;
  std::uint64_t order = 0;  // files are undone in this order
  std::vector<Change> changes;
};

struct Naming {
  enum Kind { made_file, made_directory, renamed, removed_file, removed_directory } kind;
  std::string path, to;
  std::string kept;  // the file that the change removed
};

struct Opened {
  std::size_t area = kAreas;
  std::string path;
};

struct Watch {
  Order& order;
  Area* areas;
  Broken broken;
  std::map<int, Opened> opened;
  std::map<std::uint64_t, Unsynced> unsynced[kAreas];  // by inode
  std::vector<Naming> names[kAreas];
  std::set<std::string> changed;
  std::set<std::string> partial;
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

// Begins a call: another thread may go on before it; then it may hang or fail. Returns an errno.
int begin_call(const char* what, std::size_t area, const std::string& path, std::uint64_t value = 0);
// Notes a change of committed files, for those who compare them.
void note_change(std::size_t area, const std::string& path);
// Keeps the content of a range that is about to change.
void keep(int descriptor, const Opened& file, std::uint64_t offset, std::uint64_t length);
// Keeps a file that is about to lose its name. Returns where, "" if there is none.
std::string keep_file(std::size_t area, const std::string& path);
void sync_file(int descriptor, const Opened& file);
// Makes all names of the file system durable, as a journal does.
void sync_names(std::size_t area);

}  // namespace holdfast::simulation::storage
