// The texts of `error` files: each user's last refused operation in each directory that has one (law 17).
//
// Any thread may call. Memory has the few thousand that were used last.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "catalog/base/clock.h"
#include "catalog/base/error.h"
#include "catalog/base/lru.h"
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
  Note of(const TreeNode& directory, std::uint32_t uid);

 private:
  // A directory and a user.
  struct Key {
    Key(const TreeNode& directory, std::uint32_t user)
        : row(directory.row), object(directory.object), uid(user) {}
    RowIndex row;
    Id object;
    std::uint32_t uid;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return TreeNodeHash{}({.row = key.row, .object = key.object}) + key.uid;
    }
  };
  static constexpr std::size_t kMost = 4096;

  void remember(const TreeNode& directory, std::uint32_t uid, std::string_view what, const Error& error);
  void forget(const TreeNode& directory, std::uint32_t uid);

  const Clock& clock_;
  Mutex mutex_;
  Lru<Key, Note, KeyHash> notes_ HF_GUARDED_BY(mutex_){kMost};
};

}  // namespace holdfast::tree
