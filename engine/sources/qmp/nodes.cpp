#include "engine/sources/qmp/nodes.h"

#include <algorithm>

namespace holdfast::source::qmp {
namespace {

Bitmap read_bitmap(const Json& json) {
  return {.name = json.value("name", ""),
          .recording = json.at("recording"),
          .busy = json.at("busy"),
          .persistent = json.at("persistent"),
          .inconsistent = json.value("inconsistent", false)};
}

Node read_node(const Json& json) {
  const Json& image = json.at("image");
  Node node{.name = json.value("node-name", ""),
            .driver = json.at("drv"),
            .file = json.at("file"),
            .backing_file = json.value("backing_file", ""),
            .size = image.at("virtual-size").get_ref<const Json::number_unsigned_t&>(),
            .read_only = json.at("ro"),
            .bitmaps = {}};
  if (node.driver == "qcow2" && image.contains("format-specific")) {
    const Json& facts = image.at("format-specific").at("data");
    node.can_store_bitmaps = facts.value("compat", "") != "0.10";
    node.corrupt = facts.value("corrupt", false);
  }
  for (const Json& bitmap : json.value("dirty-bitmaps", Json::array()))
    if (bitmap.contains("name")) node.bitmaps.push_back(read_bitmap(bitmap));
  return node;
}

}  // namespace

const Bitmap* Node::bitmap(std::string_view bitmap_name) const {
  const auto found = std::ranges::find(bitmaps, bitmap_name, &Bitmap::name);
  return found == bitmaps.end() ? nullptr : &*found;
}

Result<Nodes> Nodes::of(Monitor& monitor) {
  HF_TRY(const Json answer, monitor.execute("query-named-block-nodes", {{"flat", true}}));
  HF_TRY(Peer peer, monitor.peer());
  Nodes nodes(std::move(peer));
  try {
    for (const Json& json : answer) nodes.nodes_.push_back(read_node(json));
  } catch (const Json::exception& error) {
    return fail(EPROTO, "the source at {} describes its block nodes in an unknown way: {}", monitor.socket(),
                error.what());
  }
  return nodes;
}

const Node* Nodes::find(std::string_view name) const {
  const auto found = std::ranges::find(nodes_, name, &Node::name);
  return found == nodes_.end() ? nullptr : &*found;
}

std::string Nodes::names() const {
  std::vector<std::string_view> names;
  for (const Node& node : nodes_)
    if (!node.name.empty() && !node.name.starts_with('#')) names.push_back(node.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace holdfast::source::qmp
