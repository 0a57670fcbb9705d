#include "engine/sources/qmp/copy_filter.h"

#include <algorithm>

#include "engine/sources/qmp/guest_disks.h"

namespace holdfast::source::qmp {
namespace {

// The time until QEMU gives up the instant instead of the guest's write, as it does when a copy fails.
constexpr int kPatience = 10;  // seconds

// Lists all options, because reopening a node resets those that are left out.
Json top_over(const std::string& top, const std::string& below) {
  return {{"driver", "raw"}, {"node-name", top}, {"file", below}, {"discard", "unmap"}};
}

Result<> set_drive(Monitor& monitor, const std::string& device, const std::string& node) {
  HF_CHECK(monitor.execute("qom-set", {{"path", device}, {"property", "drive"}, {"value", node}}));
  return {};
}

bool has_member(const Json& type, std::string_view name) {
  const auto members = type.find("members");
  return members != type.end() &&
         std::ranges::any_of(*members, [&](const Json& member) { return text_of(member, "name") == name; });
}

}  // namespace

CopyFilter name_filter(const std::string& scratch, const std::string& node, const std::string& device) {
  return {.top = scratch + "-t",
          .copy = scratch + "-c",
          .access = scratch + "-a",
          .node = node,
          .scratch = scratch,
          .device = device};
}

Result<bool> errs_on_partly_copied(Monitor& monitor) {
  HF_TRY(const int major, monitor.major_version());
  return major < 9;
}

Result<bool> has_copy_filters(Monitor& monitor) {
  HF_TRY(const Json schema, monitor.execute("query-qmp-schema"));
  return std::ranges::any_of(schema, [](const Json& type) {
    return text_of(type, "meta-type") == "object" && has_member(type, "on-cbw-error") &&
           has_member(type, "cbw-timeout");
  });
}

Result<> add_copy(Monitor& monitor, const CopyFilter& filter) {
  HF_CHECK(monitor.execute("blockdev-add", {{"driver", "copy-before-write"},
                                            {"node-name", filter.copy},
                                            {"file", filter.node},
                                            {"target", filter.scratch},
                                            {"on-cbw-error", "break-snapshot"},
                                            {"cbw-timeout", kPatience},
                                            {"discard", "unmap"}}));
  return {};
}

Result<> add_top(Monitor& monitor, const CopyFilter& filter) {
  HF_CHECK(monitor.execute("blockdev-add", top_over(filter.top, filter.node)));
  return {};
}

Result<> insert(Monitor& monitor, const CopyFilter& filter) {
  return set_drive(monitor, filter.device, filter.top);
}

Result<> freeze(Monitor& monitor, const std::vector<CopyFilter>& filters) {
  Json options = Json::array();
  for (const CopyFilter& filter : filters) options.push_back(top_over(filter.top, filter.copy));
  HF_CHECK(monitor.execute("blockdev-reopen", {{"options", std::move(options)}}));
  return {};
}

// The access node comes last, because QEMU then blocks all writes to the disk that don't pass the filter.
Result<> add_access(Monitor& monitor, const CopyFilter& filter) {
  HF_CHECK(monitor.execute(
      "blockdev-add", {{"driver", "snapshot-access"}, {"node-name", filter.access}, {"file", filter.copy}}));
  return {};
}

Result<> take_out(Monitor& monitor, const std::string& top, const std::string& node) {
  HF_TRY(const Nodes nodes, Nodes::of(monitor));
  if (nodes.find(top) == nullptr) return {};
  HF_CHECK(monitor.execute("blockdev-reopen", {{"options", Json::array({top_over(top, node)})}}));
  HF_TRY(const GuestDisks disks, GuestDisks::of(monitor));
  const GuestDisk* disk = disks.with(top);
  return disk == nullptr ? Result<>{} : set_drive(monitor, disk->device, node);
}

}  // namespace holdfast::source::qmp
