// Scratch files, which editors and rsync make beside a config.json before they rename one over it (rule 3).
// They are kept in memory for a while, and count as held by their makers until they are deleted and closed.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/clock.h"
#include "catalog/base/error.h"
#include "catalog/base/mutex.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/holdings.h"
#include "fsd/tree/tree_node.h"

namespace holdfast::tree {

// A scratch file. Any thread may call.
class Scratch {
 public:
  static constexpr std::size_t kLargest = 1 << 20;

  Scratch(const Ownership& ownership, const Clock& clock, Holdings::Share share);

  struct State {
    Ownership ownership;
    std::uint64_t size = 0;
    Time changed_at{};
  };
  State state() const;
  std::string text() const;
  std::size_t read(std::uint64_t offset, ByteSpan into) const;
  Result<> write(std::uint64_t offset, std::string_view bytes, bool append);  // EFBIG, EDQUOT
  Result<> truncate(std::uint64_t size);                                      // EFBIG, EDQUOT
  void own(const Ownership& ownership);

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  Holdings::Share share_ HF_GUARDED_BY(mutex_);
  std::string text_ HF_GUARDED_BY(mutex_);
  Ownership ownership_ HF_GUARDED_BY(mutex_);
  Time changed_at_ HF_GUARDED_BY(mutex_);
};

// All scratch files, by directory and name. Any thread may call. A user has at most a few dozen. A file goes
// after a quarter of an hour in which nobody had it open or changed it.
class Scratches {
 public:
  Scratches(const Clock& clock, Holdings& holdings) : clock_(clock), holdings_(holdings) {}

  Result<Id> create(const TreeNode& directory, std::string_view name, const Ownership& ownership);  // EDQUOT
  std::shared_ptr<Scratch> get(Id id) const;                        // null: it is gone
  Id find(const TreeNode& directory, std::string_view name) const;  // 0: there is none
  std::vector<Named> list(const TreeNode& directory) const;
  std::string name_of(Id id) const;  // "": it is gone
  void remove(Id id);
  void rename(Id id, std::string_view name);  // replaces a file of that name

 private:
  struct Entry {
    TreeNode directory;
    std::string name;
    std::shared_ptr<Scratch> file;
  };

  void expire() HF_REQUIRES(mutex_);

  const Clock& clock_;
  Holdings& holdings_;
  mutable Mutex mutex_;
  std::unordered_map<Id, Entry> entries_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::tree
