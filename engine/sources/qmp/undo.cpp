#include "engine/sources/qmp/undo.h"

#include <algorithm>
#include <filesystem>

#include "catalog/base/disk.h"
#include "catalog/base/log.h"
#include "engine/sources/qmp/copy_filter.h"
#include "engine/sources/qmp/disk_plan.h"
#include "engine/sources/qmp/nodes.h"
#include "engine/sources/qmp/quiesce.h"

namespace holdfast::source::qmp {
namespace {

enum class Undone { yes, later };  // later: the leftover stays recorded; no error

Json parse_detail(const Leftover& leftover) {
  Json detail = Json::parse(leftover.detail, nullptr, false);
  return detail.is_object() ? detail : Json::object();
}

Result<BitmapDetail> bitmap_detail(const Leftover& leftover) {
  const Json detail = parse_detail(leftover);
  try {
    return BitmapDetail{.since = detail.at("since"), .supersedes = detail.at("supersedes")};
  } catch (const Json::exception&) {
    return fail(EINVAL, "the record of bitmap {} can't be read: {}", leftover.name, leftover.detail);
  }
}

// Whether the list that `query` returns has an element whose `key` is `name`.
Result<bool> lists(Monitor& monitor, std::string_view query, const char* key, const std::string& name) {
  HF_TRY(const Json answer, monitor.execute(query));
  return std::ranges::any_of(answer, [&](const Json& element) { return text_of(element, key) == name; });
}

// Removes a thing that stays listed for a moment after its removal was asked for.
Result<> remove_listed(Monitor& monitor, std::string_view query, const std::string& name,
                       std::string_view command, const Json& arguments) {
  const auto listed = [&] { return lists(monitor, query, "id", name); };
  HF_TRY(const bool there, listed());
  if (!there) return {};
  if (auto asked = monitor.execute(command, arguments); !asked) {
    HF_TRY(const bool still_there, listed());  // the thing may have ended by itself meanwhile
    if (still_there) return tl::make_unexpected(std::move(asked).error());
    return {};
  }
  return monitor.wait_until(fmt::format("{} of {}", command, name), [&]() -> Result<bool> {
    HF_TRY(const bool still_there, listed());
    return !still_there;
  });
}

Result<> remove_node(Monitor& monitor, const std::string& name) {
  auto removed = monitor.execute("blockdev-del", {{"node-name", name}});
  if (removed) return {};
  HF_TRY(const Nodes nodes, Nodes::of(monitor));  // slow if there are many disks, so only after an error
  if (nodes.find(name) == nullptr) return {};
  return tl::make_unexpected(std::move(removed).error());
}

// A name belongs to one bitmap for ever, so it is ours on any node. A bitmap in a read-only image can't be
// removed, and records nothing.
Result<> remove_bitmap(Monitor& monitor, const Nodes& nodes, const std::string& name) {
  for (const Node& node : nodes.all()) {
    const Bitmap* bitmap = node.bitmap(name);
    if (bitmap == nullptr) continue;
    if (node.read_only && bitmap->persistent) {
      log::info("bitmap {} stays in {}, which is read-only", name, node.file);
      continue;
    }
    HF_CHECK(monitor.execute("block-dirty-bitmap-remove", {{"node", node.name}, {"name", name}}));
  }
  return {};
}

// Makes the parent's bitmap record again, then merges the newer bitmap into it. In this order a write in
// between is in both rather than in neither (law 3).
Result<> merge_back(Monitor& monitor, const Node& node, const std::string& ours_name,
                    const std::string& parent_name) {
  const Json parent{{"node", node.name}, {"name", parent_name}};
  const Json merge{{"node", node.name}, {"target", parent_name}, {"bitmaps", Json::array({ours_name})}};
  const Json ours{{"node", node.name}, {"name", ours_name}};
  HF_CHECK(monitor.execute("transaction", {{"actions",
                                            {{{"type", "block-dirty-bitmap-enable"}, {"data", parent}},
                                             {{"type", "block-dirty-bitmap-merge"}, {"data", merge}},
                                             {{"type", "block-dirty-bitmap-remove"}, {"data", ours}}}}}));
  return {};
}

// QEMU writes to an image before it removes a stored bitmap, so there must be room (law 8).
bool can_be_removed(const Nodes& nodes, const std::string& name) {
  return std::ranges::all_of(nodes.all(), [&](const Node& node) {
    const Bitmap* bitmap = node.bitmap(name);
    if (bitmap == nullptr || !bitmap->persistent || has_room_for_bitmap(node, nodes.peer())) return true;
    log::warning("bitmap {} stays in {} until its file system has room again", name, node.file);
    return false;
  });
}

Result<Undone> settle_committed(Monitor& monitor, const Nodes& nodes, const BitmapDetail& detail) {
  Undone all = Undone::yes;
  for (const std::string& name : {detail.since, detail.supersedes}) {
    if (can_be_removed(nodes, name))
      HF_CHECK(remove_bitmap(monitor, nodes, name));
    else
      all = Undone::later;
    if (detail.supersedes == detail.since) break;
  }
  return all;
}

Result<Undone> settle_bitmap(Monitor& monitor, const Leftover& leftover, PointFate fate) {
  if (fate == PointFate::unknown) return Undone::later;
  HF_TRY(const BitmapDetail detail, bitmap_detail(leftover));
  HF_TRY(const Nodes nodes, Nodes::of(monitor));
  if (fate == PointFate::committed) return settle_committed(monitor, nodes, detail);

  const auto node = std::ranges::find_if(
      nodes.all(), [&](const Node& candidate) { return candidate.bitmap(leftover.name) != nullptr; });
  // Without our bitmap, a parent that doesn't record is left so: it misses the writes since the freeze, and
  // the next run must notice.
  if (node == nodes.all().end()) return Undone::yes;
  const Bitmap* ours = node->bitmap(leftover.name);
  const Bitmap* parent = node->bitmap(detail.since);
  const bool sound = parent != nullptr && !parent->inconsistent && !ours->inconsistent && !node->read_only;
  HF_CHECK(sound ? merge_back(monitor, *node, leftover.name, detail.since)
                 : remove_bitmap(monitor, nodes, leftover.name));
  return Undone::yes;
}

Result<Undone> remove_unwanted(Monitor& monitor, const std::string& name) {
  HF_TRY(const Nodes nodes, Nodes::of(monitor));
  if (!can_be_removed(nodes, name)) return Undone::later;
  HF_CHECK(remove_bitmap(monitor, nodes, name));
  return Undone::yes;
}

Result<> give_drive_back(Monitor& monitor, const Leftover& leftover) {
  const std::string node = text_of(parse_detail(leftover), "node");
  if (node.empty()) return fail(EINVAL, "the record of {} can't be read: {}", leftover.name, leftover.detail);
  return take_out(monitor, leftover.name, node);
}

// Removes a file, or a directory with all its content.
Result<> remove_file(const std::string& path) {
  const std::filesystem::path name(path);
  const auto directory = open_directory(name.parent_path().string());
  if (!directory && directory.error().code == ENOENT) return {};
  if (!directory) return tl::make_unexpected(directory.error());
  return remove_tree(**directory, name.filename().string());
}

Result<> take_away(Monitor& monitor, const Leftover& leftover) {
  switch (leftover.kind) {
    case LeftoverKind::nbd_server: return monitor.nbd_server().leave(leftover.name, leftover.id);
    case LeftoverKind::nbd_export:
      return remove_listed(monitor, "query-block-exports", leftover.name, "block-export-del",
                           {{"id", leftover.name}, {"mode", "hard"}});
    case LeftoverKind::block_job:
      return remove_listed(monitor, "query-jobs", leftover.name, "job-cancel", {{"id", leftover.name}});
    case LeftoverKind::node: return remove_node(monitor, leftover.name);
    case LeftoverKind::bitmap:
    case LeftoverKind::unwanted_bitmap: break;  // handled by undo_one()
    case LeftoverKind::file: return remove_file(leftover.name);
    case LeftoverKind::drive: return give_drive_back(monitor, leftover);
    case LeftoverKind::fsfreeze: return thaw_leftover(monitor, monitor.limits().agent);
  }
  return fail(EINVAL, "{} is of an unknown kind", leftover.name);
}

Result<Undone> undo_one(Monitor& monitor, const Leftover& leftover, PointFate fate) {
  if (leftover.kind == LeftoverKind::bitmap) return settle_bitmap(monitor, leftover, fate);
  if (leftover.kind == LeftoverKind::unwanted_bitmap) return remove_unwanted(monitor, leftover.name);
  HF_CHECK(take_away(monitor, leftover));
  return Undone::yes;
}

}  // namespace

std::string detail_of(const std::string& socket) { return print(Json{{"socket", socket}}); }

std::string detail_of(const Monitor& monitor) { return detail_of(monitor.socket()); }

std::string detail_of(const Monitor& monitor, const BitmapDetail& bitmap) {
  return print(
      Json{{"socket", monitor.socket()}, {"since", bitmap.since}, {"supersedes", bitmap.supersedes}});
}

std::string detail_of(const Monitor& monitor, const DriveDetail& drive) {
  return print(Json{{"socket", monitor.socket()}, {"node", drive.node}});
}

std::string socket_of(const Leftover& leftover) { return text_of(parse_detail(leftover), "socket"); }

Result<> undo(Monitor& monitor, std::vector<Leftover>& made, PointFate fate, Ledger& ledger) {
  Result<> first;
  const auto note = [&first](Error error) {
    if (first) first = tl::make_unexpected(std::move(error));
  };
  // Thaws first, because a frozen guest must not wait.
  std::ranges::stable_partition(made,
                                [](const Leftover& each) { return each.kind != LeftoverKind::fsfreeze; });
  std::vector<Leftover> stay;
  Result<> reachable = monitor.connect();
  while (!made.empty()) {
    Leftover leftover = std::move(made.back());
    made.pop_back();
    const bool at_source = leftover.kind != LeftoverKind::file && leftover.kind != LeftoverKind::nbd_server;
    Result<Undone> gone = Undone::later;
    if (at_source && !reachable)
      gone = tl::make_unexpected(reachable.error());
    else
      gone = undo_one(monitor, leftover, fate);
    if (gone && *gone == Undone::yes) {
      const auto forgotten = ledger.forget(leftover.id);
      if (forgotten) continue;
      gone = tl::make_unexpected(forgotten.error());
    }
    if (!gone) note(gone.error());
    if (!gone && at_source && reachable) reachable = monitor.connect();
    stay.push_back(std::move(leftover));
  }
  std::ranges::reverse(stay);
  made = std::move(stay);
  return first;
}

}  // namespace holdfast::source::qmp
