// The texts of `error` files: each user's last refused operation in each directory that has one (law 17).
//
// Any thread may call. Memory has the few thousand that were used last.
#pragma once

#include <cstdint>
#include <functional>
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
  // Returns an error's sentence as the asker may read it who has given the names in `given`.
  using Tell =
      std::function<std::string(std::string_view sentence, const Asker& asker, std::string_view given)>;

  Refusals(const Clock& clock, Tell tell) : clock_(clock), tell_(std::move(tell)) {}

  // Records the outcome of an operation in the `error` file and returns it: a refusal is written, a success
  // empties the file. `what`: the operation, as "write control"; `text`: what the asker wrote.
  template <class T>
  Result<T> settle(const TreeNode& directory, const Asker& asker, std::string_view what, Result<T> outcome,
                   std::string_view text = {}) {
    if (outcome)
      forget(directory, asker.uid);
    else
      remember(directory, asker, what, outcome.error(), text);
    return outcome;
  }

  // Records a refusal only. For operations whose success tells nothing about an earlier refusal: reading, and
  // an editor's steps around a save.
  template <class T>
  Result<T> settle_failure(const TreeNode& directory, const Asker& asker, std::string_view what,
                           Result<T> outcome, std::string_view text = {}) {
    if (!outcome) remember(directory, asker, what, outcome.error(), text);
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

  void remember(const TreeNode& directory, const Asker& asker, std::string_view what, const Error& error,
                std::string_view text);
  void forget(const TreeNode& directory, std::uint32_t uid);

  const Clock& clock_;
  const Tell tell_;
  Mutex mutex_;
  Lru<Key, Note, KeyHash> notes_ HF_GUARDED_BY(mutex_){kMost};
};

}  // namespace holdfast::tree
