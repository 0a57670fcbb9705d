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

Result<> set_drive(Source& source, const std::string& device, const std::string& node) {
  HF_CHECK(source.execute("qom-set", {{"path", device}, {"property", "drive"}, {"value", node}}));
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

Result<bool> errs_on_partly_copied(Source& source) {
  HF_TRY(const int major, source.major_version());
  return major < 9;
}

Result<bool> has_copy_filters(Source& source) {
  HF_TRY(const Json schema, source.execute("query-qmp-schema"));
  return std::ranges::any_of(schema, [](const Json& type) {
    return text_of(type, "meta-type") == "object" && has_member(type, "on-cbw-error") &&
           has_member(type, "cbw-timeout");
  });
}

Result<> add_copy(Source& source, const CopyFilter& filter) {
  HF_CHECK(source.execute("blockdev-add", {{"driver", "copy-before-write"},
                                           {"node-name", filter.copy},
                                           {"file", filter.node},
                                           {"target", filter.scratch},
                                           {"on-cbw-error", "break-snapshot"},
                                           {"cbw-timeout", kPatience},
                                           {"discard", "unmap"}}));
  return {};
}

Result<> add_top(Source& source, const CopyFilter& filter) {
  HF_CHECK(source.execute("blockdev-add", top_over(filter.top, filter.node)));
  return {};
}

Result<> insert(Source& source, const CopyFilter& filter) {
  return set_drive(source, filter.device, filter.top);
}

Result<> freeze(Source& source, const std::vector<CopyFilter>& filters) {
  Json options = Json::array();
  for (const CopyFilter& filter : filters) options.push_back(top_over(filter.top, filter.copy));
  HF_CHECK(source.execute("blockdev-reopen", {{"options", std::move(options)}}));
  return {};
}

// The access node comes last, because QEMU then blocks all writes to the disk that don't pass the filter.
Result<> add_access(Source& source, const CopyFilter& filter) {
  HF_CHECK(source.execute(
      "blockdev-add", {{"driver", "snapshot-access"}, {"node-name", filter.access}, {"file", filter.copy}}));
  return {};
}

Result<> take_out(Source& source, const std::string& top, const std::string& node) {
  HF_TRY(const Nodes nodes, Nodes::of(source));
  if (nodes.find(top) == nullptr) return {};
  HF_CHECK(source.execute("blockdev-reopen", {{"options", Json::array({top_over(top, node)})}}));
  HF_TRY(const GuestDisks disks, GuestDisks::of(source));
  const GuestDisk* disk = disks.with(top);
  return disk == nullptr ? Result<>{} : set_drive(source, disk->device, node);
}

}  // namespace holdfast::source::qmp
