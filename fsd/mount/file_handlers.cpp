// Handlers of requests about open files.
#include <fcntl.h>

#include "fsd/mount/buffer.h"
#include "fsd/mount/face.h"

namespace holdfast::mount::handlers {
namespace {

using tree::NodeKind;
using tree::OpenFile;

tree::Tree::OpenMode mode_of(const fuse_file_info& info) {
  const int access = info.flags & O_ACCMODE;
  return {.read = access != O_WRONLY, .write = access != O_RDONLY, .truncate = (info.flags & O_TRUNC) != 0};
}

void finish_open(fuse_req_t request, const tree::TreeNode& node, fuse_file_info info,
                 const tree::Asker& asker) {
  Face& face = face_of(request);
  auto opened = face.tree.open(node, mode_of(info), asker, gave_up(request));
  if (!opened) return void(fuse_reply_err(request, opened.error().code));
  const bool sealed = face.tree.kind(node) == NodeKind::image;
  info.keep_cache = sealed;
  info.direct_io = !sealed;
  info.fh = face.files.add(std::move(*opened));
  // ENOENT means that the opener was interrupted: no release will follow.
  if (fuse_reply_open(request, &info) == -ENOENT) face.files.remove(info.fh);
}

void open(fuse_req_t request, fuse_ino_t id, fuse_file_info* info) {
  Face& face = face_of(request);
  const auto node = face.node_ids.find(id);
  if (!node) return void(fuse_reply_err(request, ESTALE));
  const tree::Asker asker = asker_of(request, Groups::with);
  if (!face.tree.may_hang(*node) && !face.tree.is_slow(*node))
    return finish_open(request, *node, *info, asker);
  face.pool_for(*node).post([=, node = *node, info = *info] { finish_open(request, node, info, asker); });
}

void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  Face& face = face_of(request);
  const auto directory = face.node_ids.find(parent);
  if (!directory) return void(fuse_reply_err(request, ESTALE));
  auto created =
      face.tree.create(*directory, name, mode & 07777, mode_of(*info), asker_of(request, Groups::with));
  if (!created) return void(fuse_reply_err(request, created.error().code));
  const auto entry = entry_of(request, created->node);
  if (!entry) return void(fuse_reply_err(request, entry.error().code));
  info->direct_io = true;
  info->fh = face.files.add(std::move(created->file));
  if (fuse_reply_create(request, &*entry, info) == -ENOENT) {
    face.files.remove(info->fh);
    face.node_ids.forget(entry->ino, 1);
  }
}

// Replies with the bytes in the thread's reply buffer.
void reply_read(fuse_req_t request, const Result<std::size_t>& length) {
  if (!length) return void(fuse_reply_err(request, length.error().code));
  fuse_reply_buf(request, reinterpret_cast<const char*>(reply_buffer().data()), *length);
}

void on_interrupt(fuse_req_t request, void* ticket) {
  face_of(request).waiters.interrupt(reinterpret_cast<Waiters::Ticket>(ticket));
}

void park(fuse_req_t request, const tree::TreeNode& node, std::shared_ptr<OpenFile> file, std::size_t size,
          std::uint64_t offset) {
  auto share = face_of(request).tree.wait_at(node, asker_of(request, Groups::without));
  if (!share) return void(fuse_reply_err(request, share.error().code));
  Waiters& waiters = face_of(request).waiters;
  const Waiters::Ticket ticket = waiters.park(request, std::move(file), size, offset, *std::move(share));
  fuse_req_interrupt_func(request, on_interrupt, reinterpret_cast<void*>(ticket));
  waiters.arm(ticket);
}

void read(fuse_req_t request, fuse_ino_t id, std::size_t size, off_t offset, fuse_file_info* info) {
  Face& face = face_of(request);
  auto file = face.files.find(info->fh);
  const auto node = face.node_ids.find(id);
  if (!file || !node) return void(fuse_reply_err(request, EBADF));
  const auto at = static_cast<std::uint64_t>(offset);
  size = std::min(size, kLargestRead);
  if (face.tree.may_hang(*node) || face.tree.is_slow(*node))
    return face.pool_for(*node).perform(
        [=, file = std::move(file)] { reply_read(request, file->read(at, reply_buffer().first(size))); });
  const auto length = file->read(at, reply_buffer().first(size));
  if (!length && length.error().code == EAGAIN) return park(request, *node, std::move(file), size, at);
  reply_read(request, length);
}

void write(fuse_req_t request, fuse_ino_t, const char* bytes, std::size_t size, off_t offset,
           fuse_file_info* info) {
  const auto file = face_of(request).files.find(info->fh);
  if (!file) return void(fuse_reply_err(request, EBADF));
  const bool append = (info->flags & O_APPEND) != 0;
  const auto outcome = file->write(static_cast<std::uint64_t>(offset), {bytes, size}, append);
  if (!outcome) return void(fuse_reply_err(request, outcome.error().code));
  fuse_reply_write(request, size);
}

void flush(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  const auto file = face_of(request).files.find(info->fh);
  if (!file) return void(fuse_reply_err(request, EBADF));
  reply_outcome(request, file->flush(process_of(fuse_req_ctx(request)->pid)));
}

void fsync(fuse_req_t request, fuse_ino_t id, int, fuse_file_info* info) { flush(request, id, info); }

void release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  if (const auto file = face_of(request).files.remove(info->fh)) file->released();
  fuse_reply_err(request, 0);
}

void lseek(fuse_req_t request, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  Face& face = face_of(request);
  auto file = face.files.find(info->fh);
  if (!file) return void(fuse_reply_err(request, EBADF));
  face.read_pool.perform([=, file = std::move(file)] {
    const auto what = whence == SEEK_DATA ? OpenFile::Seek::data : OpenFile::Seek::hole;
    const auto found = file->seek(static_cast<std::uint64_t>(offset), what);
    if (!found) return void(fuse_reply_err(request, found.error().code));
    fuse_reply_lseek(request, static_cast<off_t>(*found));
  });
}

}  // namespace

void add_file_handlers(fuse_lowlevel_ops& operations) {
  operations.open = guarded<open>;
  operations.create = guarded<create>;
  operations.read = guarded<read>;
  operations.write = guarded<write>;
  operations.flush = guarded<flush>;
  operations.fsync = guarded<fsync>;
  operations.release = guarded<release>;
  operations.lseek = guarded<lseek>;
}

}  // namespace holdfast::mount::handlers
