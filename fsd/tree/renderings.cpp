#include "fsd/tree/renderings.h"

namespace holdfast::tree {

Result<Rendering> Renderings::of(const TreeNode& node, const Asker& reader) {
  Key key{node, {}};
  const TableRow& row = *outline_.at(node.row).row;
  // Root sees everything, whatever its groups are.
  if (row.show == nullptr) key.reader = reader.uid == 0 ? Asker{} : reader_of(reader);
  const auto subject = outline_.subject_of(node);
  return subject ? render_object(key, *subject) : render_root(key);
}

Result<Rendering> Renderings::render_object(const Key& key, const ObjectId& subject) {
  const TableRow& row = *outline_.at(key.node.row).row;
  // The revision is read before the text. A change between the two makes the text newer than its revision,
  // and the next call renders it again.
  HF_TRY(const Stamp stamp, engine_.status().stamp(subject.kind, subject.id));
  const auto before = kept(key);
  const bool known = before && before->revision == stamp.revision;
  // The modes of other objects change what a reader may see, while the revision stays.
  const bool drifts = row.drifts || (key.reader && key.reader->uid != 0);
  if (known && !drifts) return *before;
  HF_TRY(std::string text, print(row, key));
  if (known && *before->text == text) return *before;
  const Time changed_at = known ? clock_.now() : stamp.changed_at;
  const Rendering now{std::make_shared<const std::string>(std::move(text)), stamp.revision, changed_at};
  keep(key, now);
  return now;
}

// Files above all objects have no revision: their texts are compared.
Result<Rendering> Renderings::render_root(const Key& key) {
  const TableRow& row = *outline_.at(key.node.row).row;
  HF_TRY(std::string text, print(row, key));
  if (const auto before = kept(key); before && *before->text == text) return *before;
  const Rendering now{std::make_shared<const std::string>(std::move(text)), 0, clock_.now()};
  keep(key, now);
  return now;
}

Result<std::string> Renderings::print(const TableRow& row, const Key& key) {
  if (!key.reader) return row.show(engine_, key.node);
  const ShowTo show = row.kind == NodeKind::config ? row.config.print : row.show_to;
  return show(engine_, key.node, *key.reader);
}

std::optional<Rendering> Renderings::kept(const Key& key) {
  const MutexLock lock(mutex_);
  const Rendering* found = kept_.find(key);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

void Renderings::keep(const Key& key, const Rendering& rendering) {
  const MutexLock lock(mutex_);
  kept_.put(key, rendering, rendering.text->size());
}

}  // namespace holdfast::tree
