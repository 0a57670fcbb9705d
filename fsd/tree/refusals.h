// The texts of `error` files: each user's last refused operation in each directory (law 17).
//
// Any thread may call. Kept in memory, the newest few thousand.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "catalog/base/clock.h"
#include "catalog/base/error.h"
#include "catalog/base/mutex.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/tree_node.h"

namespace holdfast::tree {

class Refusals {
 public:
  explicit Refusals(const Clock& clock) : clock_(clock) {}

  // Records the outcome of an operation in the `error` file and returns it: a refusal is written, a success
  // empties the file. `what`: the operation, as "write control".
  template <class T>
  Result<T> settle(const TreeNode& directory, const Asker& asker, std::string_view what, Result<T> outcome) {
    if (outcome)
      forget(directory, asker.uid);
    else
      remember(directory, asker.uid, what, outcome.error());
    return outcome;
  }

  // Records a refusal only. For operations whose success tells nothing about an earlier refusal: reading, and
  // an editor's steps around a save.
  template <class T>
  Result<T> settle_failure(const TreeNode& directory, const Asker& asker, std::string_view what,
                           Result<T> outcome) {
    if (!outcome) remember(directory, asker.uid, what, outcome.error());
    return outcome;
  }

  struct Note {
    std::string text;  // "": nothing was refused
    Time at{};
  };
  Note of(const TreeNode& directory, std::uint32_t uid) const;

 private:
  struct Key {
    TreeNode directory;
    std::uint32_t uid = 0;
    bool operator<(const Key& other) const {
      return std::tuple(directory.row, directory.object, uid) <
             std::tuple(other.directory.row, other.directory.object, other.uid);
    }
  };
  using Notes = std::list<std::pair<Key, Note>>;

  void remember(const TreeNode& directory, std::uint32_t uid, std::string_view what, const Error& error);
  void forget(const TreeNode& directory, std::uint32_t uid);

  const Clock& clock_;
  mutable Mutex mutex_;
  Notes notes_ HF_GUARDED_BY(mutex_);  // the newest first
  std::map<Key, Notes::iterator> index_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::tree
