#include "fsd/mount/face.h"

#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "fsd/mount/buffer.h"

namespace holdfast::mount {

using tree::NodeKind;

tree::Asker asker_of(fuse_req_t request, Groups groups) {
  const fuse_ctx* context = fuse_req_ctx(request);
  tree::Asker asker{context->uid, context->gid, context->pid};
  if (groups == Groups::without) return asker;
  asker.pid = process_of(context->pid);
  if (context->uid == 0) return asker;  // root needs no groups
  gid_t found[64];
  std::vector<gid_t> more;
  int count = fuse_req_getgroups(request, static_cast<int>(std::size(found)), found);
  if (count > static_cast<int>(std::size(found))) {
    more.resize(static_cast<std::size_t>(count));
    count = std::min(count, fuse_req_getgroups(request, count, more.data()));
    asker.groups.assign(more.begin(), more.begin() + std::max(count, 0));
  } else {
    asker.groups.assign(found, found + std::max(count, 0));
  }
  return asker;
}

std::int32_t process_of(std::int32_t thread) {
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  // Line by line: the process chooses its name, which stands there with its blanks, but on one line.
  constexpr std::string_view kField = "Tgid:";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(kField)) return std::atoi(line.c_str() + kField.size());
  return thread;
}

std::uint32_t type_bits(NodeKind kind) {
  switch (kind) {
    case NodeKind::directory:
    case NodeKind::collection:
    case NodeKind::object: return S_IFDIR;
    case NodeKind::link: return S_IFLNK;
    case NodeKind::generated:
    case NodeKind::log:
    case NodeKind::work_log:
    case NodeKind::lines:
    case NodeKind::difference:
    case NodeKind::config:
    case NodeKind::control:
    case NodeKind::error:
    case NodeKind::wait:
    case NodeKind::image:
    case NodeKind::scratch: break;
  }
  return S_IFREG;
}

struct stat to_stat(const tree::Attributes& attributes) {
  constexpr std::uint64_t kBlock = 512;
  const std::uint32_t type = type_bits(attributes.kind);
  const auto since_epoch = attributes.changed_at.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);

  struct stat it {};
  it.st_ino = attributes.inode;
  it.st_mode = type | attributes.ownership.mode;
  it.st_nlink = type == S_IFDIR ? 2 : 1;
  it.st_uid = attributes.ownership.uid;
  it.st_gid = attributes.ownership.gid;
  it.st_size = static_cast<off_t>(attributes.size);
  it.st_blocks = static_cast<blkcnt_t>(divide_up(attributes.bytes_in_use, kBlock));
  it.st_blksize = attributes.kind == NodeKind::image ? kLargestRead : 4096;
  it.st_mtim.tv_sec = seconds.count();
  it.st_mtim.tv_nsec = std::chrono::nanoseconds(since_epoch - seconds).count();
  it.st_ctim = it.st_atim = it.st_mtim;
  return it;
}

Timeouts timeouts_of(NodeKind kind) {
  // An image never changes. Its owner can, because the owner follows from the machine.
  constexpr Timeouts kSealed{.entry = 3600, .attributes = 1};
  return kind == NodeKind::image ? kSealed : Timeouts{};
}

Result<tree::Attributes> attributes_for(fuse_req_t request, const tree::TreeNode& node) {
  tree::Tree& tree = face_of(request).tree;
  const Groups groups = tree.is_personal(node) ? Groups::with : Groups::without;
  return tree.attributes(node, asker_of(request, groups), gave_up(request));
}

void answer(fuse_req_t request, const tree::TreeNode& node, std::function<void()> reply) {
  Face& face = face_of(request);
  if (!face.tree.is_slow(node)) return reply();
  face.pool_for(node).post(std::move(reply));
}

Result<fuse_entry_param> entry_of(fuse_req_t request, const tree::TreeNode& node) {
  Face& face = face_of(request);
  HF_TRY(const tree::Attributes attributes, attributes_for(request, node));
  fuse_entry_param entry{};
  entry.ino = face.node_ids.remember(node);
  entry.generation = face.node_ids.generation();
  entry.attr = to_stat(attributes);
  const Timeouts timeouts = timeouts_of(attributes.kind);
  entry.entry_timeout = timeouts.entry;
  entry.attr_timeout = timeouts.attributes;
  return entry;
}

void reply_entry(fuse_req_t request, const tree::TreeNode& node) {
  const auto entry = entry_of(request, node);
  if (!entry) return void(fuse_reply_err(request, entry.error().code));
  // ENOENT means that the asker was interrupted: the kernel does not count this lookup.
  if (fuse_reply_entry(request, &*entry) == -ENOENT) face_of(request).node_ids.forget(entry->ino, 1);
}

}  // namespace holdfast::mount
