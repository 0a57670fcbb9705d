// What the handlers of requests work with; the session's userdata.
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
        read_pool(reader_threads, borrowed_threads) {}

  tree::Tree& tree;
  Waiters& waiters;
  NodeIds node_ids;
  Handles<tree::OpenFile> files;
  Handles<const std::vector<tree::DirectoryEntry>> directories;
  ReadPool read_pool;  // the last member, so that its threads end before what they use goes
};

inline Face& face_of(fuse_req_t request) { return *static_cast<Face*>(fuse_req_userdata(request)); }

// Who sent the request. with_groups also asks for the supplementary ones, which costs a look into /proc.
enum class Groups { without, with };
tree::Asker asker_of(fuse_req_t request, Groups groups);
// The process that a thread belongs to: the kernel names the thread.
std::int32_t process_of(std::int32_t thread);

// Of a node, for whoever sent the request.
Result<tree::Attributes> attributes_for(fuse_req_t request, const tree::TreeNode& node);
struct stat to_stat(const tree::Attributes& attributes);
std::uint32_t type_bits(tree::NodeKind kind);  // S_IFDIR …

// For how many seconds the kernel may believe an answer: not at all of what lives.
struct Timeouts {
  double entry = 0;
  double attributes = 0;
};
Timeouts timeouts_of(tree::NodeKind kind);

// A node for a node that was looked up or made: one more lookup that the kernel must be told of.
Result<fuse_entry_param> entry_of(fuse_req_t request, const tree::TreeNode& node);
void reply_entry(fuse_req_t request, const tree::TreeNode& node);

// Answers a request about this node, at once or, where that can take long, by an image reader. It may ask
// whether the asker still waits.
void answer(fuse_req_t request, const tree::TreeNode& node, std::function<void()> reply);
inline tree::Tree::GaveUp gave_up(fuse_req_t request) {
  return [request] { return fuse_req_interrupted(request) != 0; };
}

// Handlers, by what they are about.
namespace handlers {
void add_node_handlers(fuse_lowlevel_ops& operations);
void add_directory_handlers(fuse_lowlevel_ops& operations);
void add_file_handlers(fuse_lowlevel_ops& operations);
}  // namespace handlers

}  // namespace holdfast::mount
