// Texts of generated files and definitions. A text is rendered once per revision of its object, so that stat
// and the read after it agree, and `ls -l` is quick. Personal texts are kept for each reader.
//
// Any thread may call. Memory is bounded: the least recently used texts go first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"
#include "fsd/tree/outline.h"

namespace holdfast::tree {

struct Rendering {
  std::shared_ptr<const std::string> text;
  std::int64_t revision = 0;
  Time changed_at{};
};

class Renderings {
 public:
  Renderings(Engine& engine, const Outline& outline, const Clock& clock)
      : engine_(engine), outline_(outline), clock_(clock) {}

  Result<Rendering> of(const TreeNode& node, const Asker& reader);

 private:
  struct Key {
    TreeNode node;
    std::optional<Asker> reader;  // absent for texts that are the same for all
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const {
      return TreeNodeHash{}(key.node) + (key.reader ? key.reader->uid : 0);
    }
  };
  static constexpr std::size_t kMostBytes = 8 << 20;

  Result<Rendering> render_object(const Key& key, const ObjectId& subject);
  Result<Rendering> render_root(const Key& key);
  Result<std::string> print(const TableRow& row, const Key& key);
  std::optional<Rendering> kept(const Key& key);
  void keep(const Key& key, const Rendering& rendering);

  Engine& engine_;
  const Outline& outline_;
  const Clock& clock_;

  Mutex mutex_;  // never held while the engine is asked
  Lru<Key, Rendering, KeyHash> kept_ HF_GUARDED_BY(mutex_){kMostBytes};
};

}  // namespace holdfast::tree
