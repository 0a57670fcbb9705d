// The tree of the mount: names to places, places to attributes and texts, changes to one question of the
// engine each. Knows the table, the engine and who asks; knows nothing of FUSE.
//
// Any thread may call. Every change that is refused leaves its sentence in the `error` file of the
// directory it was tried in, and every one that succeeds empties it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/clock.h"
#include "fsd/tree/absences.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/differences.h"
#include "fsd/tree/event_text.h"
#include "fsd/tree/files/open_file.h"
#include "fsd/tree/listings.h"
#include "fsd/tree/outline.h"
#include "fsd/tree/refusals.h"
#include "fsd/tree/renderings.h"
#include "fsd/tree/scratch.h"
#include "fsd/tree/sight.h"

namespace holdfast::tree {

struct Attributes {
  NodeKind kind = NodeKind::directory;
  Ownership ownership;  // with the mode that this very node has
  std::uint64_t size = 0;
  std::uint64_t bytes_in_use = 0;
  Time changed_at{};
  std::uint64_t inode = 0;
};

struct DirectoryEntry {
  std::string name;
  NodeKind kind = NodeKind::directory;
  std::uint64_t inode = 0;
};

class Tree {
 public:
  using GaveUp = Reading::GaveUp;
  static bool never() { return false; }

  Tree(Engine& engine, const Clock& clock);

  static TreeNode root() { return {}; }
  NodeKind kind(const TreeNode& node) const { return outline_.at(node.row).row->kind; }

  // Why a name that no listing has means nothing is told in its directory's `error`.
  Result<TreeNode> lookup(const TreeNode& directory, std::string_view name, const Asker& asker);
  // For him: some files are of another size for each who asks. `gave_up`: of whoever waits for what takes
  // long.
  Result<Attributes> attributes(const TreeNode& node, const Asker& asker, const GaveUp& gave_up = never);
  // Whether that depends on his supplementary groups.
  bool is_personal(const TreeNode& node) const {
    return kind(node) == NodeKind::log || kind(node) == NodeKind::lines || knot(node).row->show_to != nullptr;
  }
  // Whether its attributes and its text can take long: a repository is read for them.
  bool is_slow(const TreeNode& node) const { return kind(node) == NodeKind::difference; }
  // Whether a repository is asked before anything goes from there: rmdir on a point.
  bool removes_slowly(const TreeNode& directory) const;
  // Without "." and "..": what the asker may know of.
  Result<std::vector<DirectoryEntry>> entries(const TreeNode& directory, const Asker& asker);
  Result<std::string> link_target(const TreeNode& link);

  struct OpenMode {
    bool read = false;
    bool write = false;
    bool truncate = false;
  };
  Result<std::shared_ptr<OpenFile>> open(const TreeNode& node, const OpenMode& mode, const Asker& asker,
                                         const GaveUp& gave_up = never);

  // Files beside a definition (rule 3): scratch files come and go; config.json itself may go for a moment.
  struct Created {
    TreeNode node;
    std::shared_ptr<OpenFile> file;
  };
  Result<Created> create(const TreeNode& directory, std::string_view name, std::uint32_t mode,
                         const OpenMode& how, const Asker& asker);
  Result<> unlink(const TreeNode& directory, std::string_view name, const Asker& asker);

  Result<TreeNode> make_directory(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<> remove_directory(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<> rename(const TreeNode& from, std::string_view old_name, const TreeNode& to,
                  std::string_view new_name, const Asker& asker);
  // chown, chmod, truncate by name, times. What changes nothing succeeds: many tools do it.
  struct Change {
    std::optional<std::uint32_t> uid, gid, mode;
    std::optional<std::uint64_t> size;
  };
  Result<> change(const TreeNode& node, const Change& change, const Asker& asker);
  // ln -s and rm of links that stand for something: the target is read as an object's name (rule 9).
  Result<TreeNode> make_link(const TreeNode& directory, std::string_view name, std::string_view target,
                             const Asker& asker);
  // Whatever else changes a directory is never permitted; `what` says it, as "link x".
  Result<> refuse(const TreeNode& directory, std::string_view what, const Asker& asker);

 private:
  const Outline::Knot& knot(const TreeNode& node) const { return outline_.at(node.row); }

  // The directory that a node lies in.
  TreeNode directory_of(const TreeNode& node) const;
  Result<TreeNode> lookup_unsettled(const TreeNode& directory, std::string_view name);
  Result<TreeNode> lookup_object(const TreeNode& directory, RowIndex row, std::string_view name);
  bool is_present(const TreeNode& node);
  Result<Ownership> ownership(const TreeNode& node);
  Result<std::vector<Named>> members(const TreeNode& directory, RowIndex row);
  bool may_know_of(const TreeNode& node, Sight& sight);
  // Of names for what a command makes: a fixed file bears it in one of the directories that it may go to.
  bool is_reserved_below(RowIndex directory, std::string_view name) const;

  Result<std::shared_ptr<OpenFile>> open_unsettled(const TreeNode& node, const OpenMode& mode,
                                                   const Asker& asker, const GaveUp& gave_up);
  std::string name_of(const TreeNode& node);
  Result<std::shared_ptr<OpenFile>> open_config(const TreeNode& node, const OpenMode& mode,
                                                const Asker& asker);
  // The text becomes the definition, or is refused.
  Result<> commit(const TreeNode& config, std::string_view text, const Asker& asker);
  std::shared_ptr<OpenFile> open_control(const TreeNode& node, const Asker& asker);
  Result<std::shared_ptr<OpenFile>> open_image(const TreeNode& node, const Asker& asker);
  // What is refused of an open file goes into the `error` beside it.
  void note_refusal(const TreeNode& node, const Asker& asker, std::string_view what, const Error& why);

  // Nothing when he may change what lies beside this object's definition.
  Result<> check_beside(const TreeNode& directory, const Asker& asker);
  Result<Created> create_unsettled(const TreeNode& directory, std::string_view name, std::uint32_t mode,
                                   const OpenMode& how, const Asker& asker);
  Result<> unlink_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<> rename_beside(const TreeNode& directory, std::string_view old_name, std::string_view new_name,
                         const Asker& asker);

  // Whose the node is by itself: an object that users make, a collection of them, or, of all else, nobody's.
  std::optional<ObjectId> own_subject(const TreeNode& node) const;
  // That, or what the node belongs to.
  std::optional<ObjectId> owning_subject(const TreeNode& node) const;

  // Law 15: hands the outcome on, and has the event log know of a refusal. `action` and `name` as
  // in "flow.create" of "flows/nightly"; without a name it is what the node belongs to.
  template <class T>
  Result<T> audited(const TreeNode& node, std::string_view action, std::string_view name, const Asker& asker,
                    Result<T> outcome) {
    if (!outcome) tell_of_refusal(node, action, name, outcome.error(), asker);
    return outcome;
  }
  void tell_of_refusal(const TreeNode& node, std::string_view action, std::string_view name, const Error& why,
                       const Asker& asker);
  // The row of the links that users make in this directory.
  std::optional<RowIndex> attachment_in(const TreeNode& directory) const;
  Result<TreeNode> attach(const TreeNode& directory, std::string_view name, std::string_view target,
                          const Asker& asker);
  Result<> detach(const TreeNode& directory, std::string_view name, const Asker& asker);

  // EACCES: its mode does not let him make, delete or rename there.
  Result<> check_may_change(const TreeNode& directory, const Asker& asker);
  // The row of the objects that users make in this collection.
  Result<RowIndex> makeable(const TreeNode& directory, const Asker& asker);
  // Something that may be deleted there: one of them, or what the daemon has made and lets go.
  Result<> check_holds_removable(const TreeNode& directory, const Asker& asker);
  // One of them, to be deleted or renamed: he has the right to write to it, too.
  Result<TreeNode> changeable(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<TreeNode> make_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<> remove_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<> rename_unsettled(const TreeNode& from, std::string_view old_name, const TreeNode& to,
                            std::string_view new_name, const Asker& asker);
  Result<> change_scratch(const TreeNode& node, const Change& change);
  Result<> give(const TreeNode& node, const Ownership& ownership, const Asker& asker);
  Result<> resize(const TreeNode& node, std::uint64_t size, const Asker& asker);

  Engine& engine_;
  const Time began_at_;
  const Outline outline_;
  Renderings renderings_;
  Refusals refusals_;
  Scratches scratches_;
  Absences absences_;
  EventText events_;
  Listings listings_;
  Differences differences_;
  const Clock& clock_;
};

}  // namespace holdfast::tree
