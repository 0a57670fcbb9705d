#include "engine/sources/qmp/truncation.h"

#include "engine/sources/whole_qcow2.h"

namespace holdfast::source::qmp {
namespace {

// Returns the node and the nodes below it along backing files.
std::vector<const Node*> chain_of(const Node& top, const Nodes& nodes) {
  std::vector<const Node*> chain{&top};
  while (!chain.back()->backing_file.empty() && chain.size() <= nodes.all().size()) {
    const Node* below = nullptr;
    for (const Node& node : nodes.all())
      if (node.driver != "file" && node.file == chain.back()->backing_file) below = &node;
    if (below == nullptr) break;
    chain.push_back(below);
  }
  return chain;
}

}  // namespace

Result<> check_not_truncated(const Node& node, const Nodes& nodes) {
  for (const Node* layer : chain_of(node, nodes)) {
    for (const Node& known : nodes.all()) {
      if (known.driver != "file" || known.file != layer->file) continue;
      const auto file = nodes.peer().open(known.file);
      if (!file) continue;
      HF_TRY(const std::uint64_t size, (*file)->size());
      if (round_up(size, std::uint64_t{512}) < known.size)  // QEMU counts in sectors
        return fail(
            EIO,
            "{} was truncated to {} bytes without QEMU, which opened it with {}: the lost data would read "
            "as zeros",
            known.file, size, known.size);
    }
  }
  return {};
}

Result<> check_holds_all_clusters(const Node& node, const Nodes& nodes, const Cancel* cancel) {
  for (const Node* layer : chain_of(node, nodes)) {
    if (layer->driver != "qcow2") continue;
    const auto file = nodes.peer().open(layer->file);
    if (!file) continue;
    if (auto whole = source::check_holds_all_clusters(**file, cancel); !whole)
      return within(std::move(whole).error(), "{}", layer->file);
  }
  return {};
}

}  // namespace holdfast::source::qmp
