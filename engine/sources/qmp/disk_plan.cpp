#include "engine/sources/qmp/disk_plan.h"

#include <algorithm>

#include "catalog/base/cut.h"
#include "catalog/base/log.h"
#include "engine/sources/qmp/fields.h"
#include "engine/sources/qmp/truncation.h"

namespace holdfast::source::qmp {
namespace {

FullReason without_parent(const DiskRequest& request) {
  return request.last_capacity ? FullReason::no_change_id : FullReason::no_parent;
}

// A bitmap on another node was left behind by a snapshot: later writes went to the new node, untracked.
FullReason where_is(const std::string& bitmap, const Nodes& nodes) {
  const bool elsewhere =
      std::ranges::any_of(nodes.all(), [&](const Node& node) { return node.bitmap(bitmap) != nullptr; });
  return elsewhere ? FullReason::bitmap_unusable : FullReason::bitmap_missing;
}

std::optional<FullReason> why_full(const DiskRequest& request, const Node& node, const Nodes& nodes) {
  if (request.since.empty()) return without_parent(request);
  const Bitmap* bitmap = node.bitmap(request.since);
  if (bitmap == nullptr) return where_is(request.since, nodes);
  if (bitmap->inconsistent) return FullReason::bitmap_inconsistent;
  if (!bitmap->recording || bitmap->busy) return FullReason::bitmap_unusable;
  if (request.last_capacity && *request.last_capacity != node.size) return FullReason::capacity_changed;
  return std::nullopt;
}

}  // namespace

Result<DiskPlan> plan_disk(const DiskRequest& request, const Nodes& nodes, const std::string& socket,
                           const Cancel* cancel) {
  HF_TRY(const DiskFields own, fields_of(request));
  const Node* node = nodes.find(own.node);
  if (node == nullptr) {
    // The owner reads the error, and other nodes may be disks of other owners; the log is root's (law 19).
    log::info("the source at {} has these block nodes: {}", socket, cut(nodes.names(), kLongestMessage));
    return fail(ENXIO,
                "disk {}: the source at {} has no block node '{}'; the daemon's log lists the nodes it has",
                request.name, socket, own.node);
  }
  if (node->corrupt)
    return fail(EIO,
                "disk {}: QEMU has marked the image of node {} ({}) as corrupt: repair it with "
                "qemu-img check -r",
                request.name, node->name, node->file);
  if (node->size == 0)
    return fail(EINVAL, "disk {}: node {} ({}) has no bytes", request.name, node->name, node->file);
  for (const Node& above : nodes.all())
    if (node->read_only && !above.read_only && !node->file.empty() && above.backing_file == node->file)
      return fail(EINVAL,
                  "disk {}: node {} is now the backing file of node {}, which the guest writes to: set the "
                  "disk's node to {}",
                  request.name, node->name, above.name, above.name);
  const auto reason = why_full(request, *node, nodes);
  auto whole = check_not_truncated(*node, nodes);
  // Only a full needs this check: an increment reads recently written areas, which QEMU wrote to the open
  // file.
  if (whole && reason) whole = check_holds_all_clusters(*node, nodes, cancel);
  if (!whole) return within(std::move(whole).error(), "disk {}", request.name);
  return DiskPlan{.name = request.name,
                  .node = own.node,
                  .capacity = node->size,
                  .read_only = node->read_only,
                  .persistent = why_not_persistent(*node, nodes.peer()).empty(),
                  .since = reason ? "" : request.since,
                  .supersedes = request.supersedes.empty() ? request.since : request.supersedes,
                  .full_reason = reason};
}

bool has_room_for_bitmap(const Node& node, const Peer& peer) {
  const auto free = peer.free_space(node.file);
  if (!free) return true;
  constexpr std::uint64_t kReserve = 16 * kMiB;
  const std::uint64_t bitmap = node.size / (64 * kKiB) / 8;
  return *free > kReserve + 4 * bitmap;
}

std::string why_not_persistent(const Node& node, const Peer& peer) {
  if (!node.can_store_bitmaps)
    return fmt::format("changes are known until the source restarts: a {} image can't keep a bitmap",
                       node.driver == "qcow2" ? "qcow2 version 2" : node.driver);
  if (node.read_only) return fmt::format("{} is read-only", node.file);
  if (!has_room_for_bitmap(node, peer))
    return fmt::format("changes are known until the source restarts: the file system of {} is nearly full",
                       node.file);
  return {};
}

}  // namespace holdfast::source::qmp
