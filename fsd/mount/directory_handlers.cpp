// Handlers of requests about directories: listing them, and changing the names in them.
#include <cstdio>

#include "fsd/mount/face.h"

namespace holdfast::mount::handlers {
namespace {

void opendir(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
  Face& face = face_of(request);
  const auto node = face.node_ids.find(id);
  if (!node) return void(fuse_reply_err(request, ESTALE));
  auto opened = face.tree.open_directory(*node, asker_of(request, Groups::with));
  if (!opened) return void(fuse_reply_err(request, opened.error().code));
  info->fh = face.directories.add(*std::move(opened));
  if (fuse_reply_open(request, info) == -ENOENT) face.directories.remove(info->fh);
}

// Replies from the listing that opendir took; the offset is a position in it. The first two entries are "."
// and "..".
void readdir(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset, fuse_file_info* info) {
  const auto directory = face_of(request).directories.find(info->fh);
  if (!directory) return void(fuse_reply_err(request, EBADF));
  const auto& entries = directory->entries();
  std::string reply(size, '\0');
  std::size_t used = 0;
  for (auto at = static_cast<std::size_t>(offset); at < entries.size() + 2; ++at) {
    struct stat it {};
    const char* name = at == 0 ? "." : "..";
    it.st_mode = S_IFDIR;
    it.st_ino = id;
    if (at >= 2) {
      const tree::DirectoryEntry& entry = entries[at - 2];
      name = entry.name.c_str();
      it.st_mode = type_bits(entry.kind);
      it.st_ino = entry.inode;
    }
    const std::size_t length =
        fuse_add_direntry(request, reply.data() + used, size - used, name, &it, static_cast<off_t>(at + 1));
    if (length > size - used) break;
    used += length;
  }
  fuse_reply_buf(request, reply.data(), used);
}

void releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  face_of(request).directories.remove(info->fh);
  fuse_reply_err(request, 0);
}

void mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t) {
  Face& face = face_of(request);
  const auto directory = face.node_ids.find(parent);
  if (!directory) return void(fuse_reply_err(request, ESTALE));
  const auto made = face.tree.make_directory(*directory, name, asker_of(request, Groups::with));
  if (!made) return void(fuse_reply_err(request, made.error().code));
  reply_entry(request, *made);
}

void rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Face& face = face_of(request);
  const auto directory = face.node_ids.find(parent);
  if (!directory) return void(fuse_reply_err(request, ESTALE));
  const auto remove = [=, &face, node = *directory, name = std::string(name),
                       asker = asker_of(request, Groups::with)] {
    reply_outcome(request, face.tree.remove_directory(node, name, asker));
  };
  if (!face.tree.removes_slowly(*directory)) return remove();
  face.read_pool.post(remove);
}

void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t new_parent,
            const char* new_name, unsigned flags) {
  Face& face = face_of(request);
  const auto from = face.node_ids.find(parent), to = face.node_ids.find(new_parent);
  if (!from || !to) return void(fuse_reply_err(request, ESTALE));
  if ((flags & RENAME_EXCHANGE) != 0) return void(fuse_reply_err(request, EINVAL));
  reply_outcome(request, face.tree.rename(*from, name, *to, new_name, asker_of(request, Groups::with)));
}

void refuse(fuse_req_t request, fuse_ino_t parent, const char* what, const char* name) {
  Face& face = face_of(request);
  const auto directory = face.node_ids.find(parent);
  if (!directory) return void(fuse_reply_err(request, ESTALE));
  reply_outcome(request, face.tree.refuse(*directory, fmt::format("{} {}", what, name),
                                          asker_of(request, Groups::with)));
}

void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  Face& face = face_of(request);
  const auto directory = face.node_ids.find(parent);
  if (!directory) return void(fuse_reply_err(request, ESTALE));
  reply_outcome(request, face.tree.unlink(*directory, name, asker_of(request, Groups::with)));
}
void symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  Face& face = face_of(request);
  const auto directory = face.node_ids.find(parent);
  if (!directory) return void(fuse_reply_err(request, ESTALE));
  const auto made = face.tree.make_link(*directory, name, target, asker_of(request, Groups::with));
  if (!made) return void(fuse_reply_err(request, made.error().code));
  reply_entry(request, *made);
}
void link(fuse_req_t request, fuse_ino_t, fuse_ino_t parent, const char* name) {
  refuse(request, parent, "link", name);
}
void mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t, dev_t) {
  refuse(request, parent, "mknod", name);
}

}  // namespace

void add_directory_handlers(fuse_lowlevel_ops& operations) {
  operations.opendir = guarded<opendir>;
  operations.readdir = guarded<readdir>;
  operations.releasedir = guarded<releasedir>;
  operations.mkdir = guarded<mkdir>;
  operations.rmdir = guarded<rmdir>;
  operations.rename = guarded<rename>;
  operations.unlink = guarded<unlink>;
  operations.symlink = guarded<symlink>;
  operations.link = guarded<link>;
  operations.mknod = guarded<mknod>;
}

}  // namespace holdfast::mount::handlers
