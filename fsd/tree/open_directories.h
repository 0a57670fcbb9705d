// Open directories. Handles of one reader on one directory share their listing while it stays equal, so a
// thousand of them take the memory of one.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "catalog/base/mutex.h"
#include "catalog/base/weak_map.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/holdings.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

struct DirectoryEntry {
  std::string name;
  NodeKind kind = NodeKind::directory;
  std::uint64_t inode = 0;

  bool operator==(const DirectoryEntry&) const = default;
};

// The entries that a reader may know of, as they were at the opening, without "." and "..".
struct Listing {
  std::vector<DirectoryEntry> entries;
  Holdings::Share share;
};

struct OpenDirectory {
  std::shared_ptr<const Listing> listing;
  Holdings::Share share;

  const std::vector<DirectoryEntry>& entries() const { return listing->entries; }
};

// Any thread may call.
class OpenDirectories {
 public:
  explicit OpenDirectories(Holdings& holdings) : holdings_(holdings) {}

  // Returns the listing that other handles of the reader have, if it has these entries, else a new one.
  // EDQUOT: the reader would hold too much.
  Result<std::shared_ptr<const Listing>> share(const TreeNode& directory, const Asker& reader,
                                               std::vector<DirectoryEntry> entries);

 private:
  struct Key {
    TreeNode directory;
    Asker reader;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return TreeNodeHash{}(key.directory) + key.reader.uid; }
  };

  Holdings& holdings_;
  Mutex mutex_;
  WeakMap<Key, const Listing, KeyHash> listings_ HF_GUARDED_BY(mutex_);  // the newest of each reader
};

}  // namespace holdfast::tree
