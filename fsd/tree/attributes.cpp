// Tree: attributes of nodes, with one function for the size of each kind of file.
#include "fsd/tree/files/work_log_file.h"
#include "fsd/tree/tree.h"

namespace holdfast::tree {

Result<Attributes> Tree::attributes(const TreeNode& node, const Asker& asker, const GaveUp& gave_up) {
  Attributes it{.kind = kind(node), .ownership = {}, .changed_at = began_at_, .inode = inode_number(node)};
  HF_TRY(it.ownership, ownership(node));
  if (it.kind == NodeKind::link) it.ownership.mode = knot(node).row->bits;
  if (const auto subject = outline_.subject_of(node)) {
    HF_TRY(const Stamp stamp, engine_.status().stamp(subject->kind, subject->id));
    it.changed_at = stamp.changed_at;
  }
  HF_TRY(const FileSize size, size_of(node, asker, gave_up));
  it.size = size.bytes;
  it.bytes_in_use = size.in_use.value_or(size.bytes);
  if (size.changed_at) it.changed_at = *size.changed_at;
  return it;
}

Result<Tree::FileSize> Tree::size_of(const TreeNode& node, const Asker& asker, const GaveUp& gave_up) {
  switch (kind(node)) {
    case NodeKind::directory:
    case NodeKind::collection:
    case NodeKind::object:
    case NodeKind::wait: break;
    case NodeKind::generated:
    case NodeKind::config: return size_of_rendering(node, asker);
    case NodeKind::log: return events_.length(node.object, asker).map(size_of_length);
    case NodeKind::lines:
      return listings_.length(node.row, knot(node).row->next_page, asker).map(size_of_length);
    case NodeKind::work_log: return size_of_work_log(node, asker);
    case NodeKind::link: return link_target(node).map(size_of_text);
    case NodeKind::control: return size_of_text(verbs::listing(knot(node).row->verbs));
    case NodeKind::difference: return size_of_difference(node, gave_up);
    case NodeKind::error: return size_of_error(node, asker);
    case NodeKind::image: return size_of_image(node);
    case NodeKind::scratch: return size_of_scratch(node);
  }
  return FileSize{};
}

Tree::FileSize Tree::size_of_text(std::string_view text) { return {.bytes = text.size()}; }

Tree::FileSize Tree::size_of_length(const Length& length) {
  return {.bytes = length.bytes, .changed_at = length.changed_at};
}

Result<Tree::FileSize> Tree::size_of_rendering(const TreeNode& node, const Asker& asker) {
  HF_TRY(const Rendering rendering, renderings_.of(node, asker));
  return FileSize{.bytes = rendering.text->size(), .changed_at = rendering.changed_at};
}

Result<Tree::FileSize> Tree::size_of_work_log(const TreeNode& node, const Asker& asker) {
  HF_TRY(const WorkLog log, work_log_of(engine_, *outline_.subject_of(node), asker));
  return FileSize{.bytes = log.text.size(), .changed_at = log.last_line_at};
}

Result<Tree::FileSize> Tree::size_of_difference(const TreeNode& node, const GaveUp& gave_up) {
  HF_TRY(const auto text, differences_.of(node, gave_up));
  return size_of_text(*text);
}

Result<Tree::FileSize> Tree::size_of_error(const TreeNode& node, const Asker& asker) {
  const Refusals::Note note = refusals_.of(directory_of(node), asker.uid);
  if (note.text.empty()) return FileSize{};
  return FileSize{.bytes = note.text.size(), .changed_at = note.at};
}

Result<Tree::FileSize> Tree::size_of_image(const TreeNode& node) {
  HF_TRY(const PointDisk disk, engine_.status().point_disk(node.object));
  if (knot(node).row->form == ImageForm::qcow2) return FileSize{.bytes = disk.qcow2_bytes.value_or(0)};
  return FileSize{.bytes = disk.capacity, .in_use = disk.bytes_used};
}

Result<Tree::FileSize> Tree::size_of_scratch(const TreeNode& node) {
  const auto file = scratches_.get(node.object);
  if (!file) return fail(ENOENT, "the scratch file was removed or has expired");
  const Scratch::State state = file->state();
  return FileSize{.bytes = state.size, .changed_at = state.changed_at};
}

}  // namespace holdfast::tree
