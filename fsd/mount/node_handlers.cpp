// Handlers of requests about nodes: lookups, attributes, links.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "fsd/mount/face.h"

namespace holdfast::mount::handlers {
namespace {

using tree::TreeNode;

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Face& face = face_of(request);
  const auto directory = face.node_ids.find(parent);
  if (!directory) return void(fuse_reply_err(request, ESTALE));
  const Groups groups = face.tree.finds_for_asker(*directory) ? Groups::with : Groups::without;
  const auto node = face.tree.lookup(*directory, name, asker_of(request, groups));
  if (!node) return void(fuse_reply_err(request, node.error().code));
  answer(request, *node, [request, node = *node] { reply_entry(request, node); });
}

void forget_one(Face& face, std::uint64_t id, std::uint64_t lookups) { face.node_ids.forget(id, lookups); }

void forget(fuse_req_t request, fuse_ino_t id, std::uint64_t lookups) {
  forget_one(face_of(request), id, lookups);
  fuse_reply_none(request);
}

void forget_multi(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
  for (std::size_t i = 0; i < count; ++i) forget_one(face_of(request), forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(request);
}

void reply_attributes(fuse_req_t request, const TreeNode& node) {
  const auto attributes = attributes_for(request, node);
  if (!attributes) return void(fuse_reply_err(request, attributes.error().code));
  const struct stat it = to_stat(*attributes);
  fuse_reply_attr(request, &it, timeouts_of(attributes->kind).attributes);
}

void getattr(fuse_req_t request, fuse_ino_t id, fuse_file_info*) {
  const auto node = face_of(request).node_ids.find(id);
  if (!node) return void(fuse_reply_err(request, ESTALE));
  answer(request, *node, [request, node = *node] { reply_attributes(request, node); });
}

void setattr(fuse_req_t request, fuse_ino_t id, struct stat* wanted, int to_set, fuse_file_info* info) {
  Face& face = face_of(request);
  const auto node = face.node_ids.find(id);
  if (!node) return void(fuse_reply_err(request, ESTALE));
  tree::Tree::Change change;
  if (to_set & FUSE_SET_ATTR_MODE) change.mode = wanted->st_mode & 07777;
  if (to_set & FUSE_SET_ATTR_UID) change.uid = wanted->st_uid;
  if (to_set & FUSE_SET_ATTR_GID) change.gid = wanted->st_gid;
  Result<> outcome;
  if (to_set & FUSE_SET_ATTR_SIZE) {
    const auto file = info == nullptr ? nullptr : face.files.find(info->fh);
    const auto size = static_cast<std::uint64_t>(wanted->st_size);
    if (file)
      outcome = file->truncate(size);
    else
      change.size = size;
  }
  if (outcome) outcome = face.tree.change(*node, change, asker_of(request, Groups::with));
  if (!outcome) return void(fuse_reply_err(request, outcome.error().code));
  reply_attributes(request, *node);
}

void readlink(fuse_req_t request, fuse_ino_t id) {
  Face& face = face_of(request);
  const auto node = face.node_ids.find(id);
  if (!node) return void(fuse_reply_err(request, ESTALE));
  const auto target = face.tree.link_target(*node);
  if (!target) return void(fuse_reply_err(request, target.error().code));
  fuse_reply_readlink(request, target->c_str());
}

// Reports the space of the repositories that the sender may see.
void statfs(fuse_req_t request, fuse_ino_t) {
  constexpr std::uint64_t kBlock = 4096;
  const auto space = face_of(request).tree.capacity(asker_of(request, Groups::with));
  if (!space) return void(fuse_reply_err(request, space.error().code));
  struct statvfs it {};
  it.f_bsize = it.f_frsize = kBlock;
  it.f_blocks = space->capacity_bytes.value_or(0) / kBlock;
  it.f_bfree = it.f_bavail = space->free_bytes.value_or(0) / kBlock;
  it.f_namemax = 255;
  fuse_reply_statfs(request, &it);
}

}  // namespace

void add_node_handlers(fuse_lowlevel_ops& operations) {
  operations.lookup = guarded<lookup>;
  operations.forget = forget;
  operations.forget_multi = forget_multi;
  operations.getattr = guarded<getattr>;
  operations.setattr = guarded<setattr>;
  operations.readlink = guarded<readlink>;
  operations.statfs = guarded<statfs>;
}

}  // namespace holdfast::mount::handlers
