// The state that request handlers share: the userdata of the FUSE session.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "fsd/mount/fuse.h"
#include "fsd/mount/handles.h"
#include "fsd/mount/node_ids.h"
#include "fsd/mount/read_pool.h"
#include "fsd/mount/waiters.h"
#include "fsd/tree/tree.h"

namespace holdfast::mount {

struct Face {
  Face(tree::Tree& its_tree, Waiters& its_waiters, std::uint64_t generation, unsigned reader_threads,
       unsigned borrowed_threads)
      : tree(its_tree),
        waiters(its_waiters),
        node_ids(generation),
        read_pool("image-reader", reader_threads, borrowed_threads),
        text_pool("text-renderer", kTextThreads, 0) {}

  tree::Tree& tree;
  Waiters& waiters;
  NodeIds node_ids;
  Handles<tree::OpenFile> files;
  Handles<const tree::OpenDirectory> directories;
  // The last members: their threads end before the members that they use.
  ReadPool read_pool;
  ReadPool text_pool;
  static constexpr unsigned kTextThreads = 2;

  // Returns the pool for work on a node that can take long.
  ReadPool& pool_for(const tree::TreeNode& node) { return tree.may_hang(node) ? read_pool : text_pool; }
};

inline Face& face_of(fuse_req_t request) { return *static_cast<Face*>(fuse_req_userdata(request)); }

// Returns the sender of the request. Groups::with also reads the supplementary groups from /proc, which costs
// time.
enum class Groups { without, with };
tree::Asker asker_of(fuse_req_t request, Groups groups);
// Returns the process that a thread belongs to: a request names the thread only.
std::int32_t process_of(std::int32_t thread);

// Returns a node's attributes as the sender of the request sees them.
Result<tree::Attributes> attributes_for(fuse_req_t request, const tree::TreeNode& node);
struct stat to_stat(const tree::Attributes& attributes);
std::uint32_t type_bits(tree::NodeKind kind);  // S_IFDIR, S_IFLNK or S_IFREG

// Seconds for which the kernel may keep an answer. Only images are kept, because everything else changes.
struct Timeouts {
  double entry = 0;
  double attributes = 0;
};
Timeouts timeouts_of(tree::NodeKind kind);

// Returns the kernel's entry for a node, and counts one more lookup of it.
Result<fuse_entry_param> entry_of(fuse_req_t request, const tree::TreeNode& node);
void reply_entry(fuse_req_t request, const tree::TreeNode& node);

// Calls `reply` at once. For a slow node an image reader calls it later.
void answer(fuse_req_t request, const tree::TreeNode& node, std::function<void()> reply);
// Tells whether the sender of the request has stopped waiting.
inline tree::Tree::GaveUp gave_up(fuse_req_t request) {
  return [request] { return fuse_req_interrupted(request) != 0; };
}

// Registers the handlers of one kind of request each.
namespace handlers {
void add_node_handlers(fuse_lowlevel_ops& operations);
void add_directory_handlers(fuse_lowlevel_ops& operations);
void add_file_handlers(fuse_lowlevel_ops& operations);
}  // namespace handlers

}  // namespace holdfast::mount
