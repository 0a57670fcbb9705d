// The tree of the mount: resolves names to nodes, reads attributes and texts, and turns each change into one
// call of the engine. Knows the table, the engine and the asker; knows nothing of FUSE.
//
// Any thread may call. A refused change leaves its sentence in the nearest `error` file; a change that
// succeeds empties that file.
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
#include "fsd/tree/holdings.h"
#include "fsd/tree/listings.h"
#include "fsd/tree/open_directories.h"
#include "fsd/tree/outline.h"
#include "fsd/tree/refusals.h"
#include "fsd/tree/renderings.h"
#include "fsd/tree/saves.h"
#include "fsd/tree/scratch.h"

namespace holdfast::tree {

struct Attributes {
  NodeKind kind = NodeKind::directory;
  Ownership ownership;  // the object's, with the node's own mode
  std::uint64_t size = 0;
  std::uint64_t bytes_in_use = 0;
  Time changed_at{};
  std::uint64_t inode = 0;
};

class Tree {
 public:
  using GaveUp = Reading::GaveUp;
  static bool never() { return false; }

  Tree(Engine& engine, const Clock& clock);

  static TreeNode root() { return {}; }
  NodeKind kind(const TreeNode& node) const { return outline_.at(node.row).row->kind; }

  // Looks a name up. The nearest `error` says why a name that no listing has does not resolve.
  Result<TreeNode> lookup(const TreeNode& directory, std::string_view name, const Asker& asker);
  // Returns the attributes as the asker sees them: personal files differ in size. `gave_up` ends slow work.
  Result<Attributes> attributes(const TreeNode& node, const Asker& asker, const GaveUp& gave_up = never);
  // Tell whether the attributes, or the names that a lookup finds, depend on the asker's supplementary
  // groups.
  bool is_personal(const TreeNode& node) const;
  bool finds_for_asker(const TreeNode& directory) const;
  // Tells whether a repository is read for the content.
  bool may_hang(const TreeNode& node) const {
    return kind(node) == NodeKind::image || kind(node) == NodeKind::difference;
  }
  // Tells whether attributes and text can take long, because a repository is read for them, or because the
  // text is rendered whole to find its size.
  bool is_slow(const TreeNode& node) const {
    return kind(node) == NodeKind::difference || kind(node) == NodeKind::log || kind(node) == NodeKind::lines;
  }
  // Tells whether rmdir in this directory can take long, because a repository is asked first.
  bool removes_slowly(const TreeNode& directory) const;
  // Lists the entries that the asker may know of, without "." and "..".
  Result<std::vector<DirectoryEntry>> entries(const TreeNode& directory, const Asker& asker);
  // Returns a handle on the directory with these entries. EDQUOT: the asker holds too much.
  Result<std::shared_ptr<const OpenDirectory>> open_directory(const TreeNode& directory, const Asker& asker);
  // Returns the asker's share of a read that waits. EDQUOT: the asker holds too much.
  Result<Holdings::Share> wait_at(const TreeNode& node, const Asker& asker);
  Result<std::string> link_target(const TreeNode& link);
  // Returns the space of all repositories that the asker may see.
  Result<CapacityView> capacity(const Asker& asker) { return engine_.status().capacity(asker); }

  struct OpenMode {
    bool read = false;
    bool write = false;
    bool truncate = false;
  };
  Result<std::shared_ptr<OpenFile>> open(const TreeNode& node, const OpenMode& mode, const Asker& asker,
                                         const GaveUp& gave_up = never);

  // A file made beside a definition (rule 3): a scratch file, or config.json after it was unlinked.
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
  // A change by chown, chmod, truncate or utimes. One that changes nothing succeeds, because many tools make
  // such calls. So does chown or chmod of a definition by the process that has just saved it.
  struct Change {
    std::optional<std::uint32_t> uid, gid, mode;
    std::optional<std::uint64_t> size;
  };
  Result<> change(const TreeNode& node, const Change& change, const Asker& asker);
  // Makes a link that relates two objects: the target is read as an object's name (rule 9).
  Result<TreeNode> make_link(const TreeNode& directory, std::string_view name, std::string_view target,
                             const Asker& asker);
  // Refuses any other change of a directory. `what` names the change, as "link x".
  Result<> refuse(const TreeNode& directory, std::string_view what, const Asker& asker);

 private:
  const Outline::Knot& knot(const TreeNode& node) const { return outline_.at(node.row); }

  struct FileSize {
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> in_use{};  // nullopt: all bytes
    std::optional<Time> changed_at{};       // nullopt: changes with the subject
  };
  Result<FileSize> size_of(const TreeNode& node, const Asker& asker, const GaveUp& gave_up);
  static FileSize size_of_text(std::string_view text);
  static FileSize size_of_length(const Length& length);
  Result<FileSize> size_of_rendering(const TreeNode& node, const Asker& asker);
  Result<FileSize> size_of_work_log(const TreeNode& node, const Asker& asker);
  Result<FileSize> size_of_difference(const TreeNode& node, const GaveUp& gave_up);
  Result<FileSize> size_of_error(const TreeNode& node, const Asker& asker);
  Result<FileSize> size_of_image(const TreeNode& node);
  Result<FileSize> size_of_scratch(const TreeNode& node);

  // Returns the directory that holds the node.
  TreeNode directory_of(const TreeNode& node) const;
  // The nearest directory with an `error` file, which tells of refusals in the directories below it, too.
  struct Teller {
    TreeNode directory;
    std::string way;  // path to the directory of the refusal: "executions/"
  };
  Teller teller_of(const TreeNode& directory) const;
  Result<TreeNode> lookup_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<TreeNode> lookup_object(const TreeNode& directory, RowIndex row, std::string_view name,
                                 const Asker& asker);
  // Finds the object that a name means, whoever asks.
  Result<TreeNode> resolve(const TreeNode& directory, RowIndex row, std::string_view name);
  bool is_present(const TreeNode& node);
  Result<Ownership> ownership(const TreeNode& node);
  Result<std::vector<Named>> members(const TreeNode& directory, RowIndex row);
  // Tells whether the row stands for objects of another collection than the directory's: links to members and
  // points. The modes on the path don't guard these, so each one is looked up only by who may see it (law
  // 19).
  bool leads_elsewhere(RowIndex row) const;
  bool may_know_of(const TreeNode& node, const Asker& asker);

  // Calls `open`, which returns a Result of an open file, and counts the file among what the asker holds.
  template <class Open>
  Result<std::shared_ptr<OpenFile>> held(const Asker& asker, Open open) {
    HF_TRY(auto share, holdings_.handle(asker.uid));
    HF_TRY(std::shared_ptr<OpenFile> file, open());
    HF_CHECK(share.resize(Holdings::kOfHandle + file->kept()));
    file->hold(std::move(share));
    return file;
  }
  Result<std::shared_ptr<OpenFile>> open_unsettled(const TreeNode& node, const OpenMode& mode,
                                                   const Asker& asker, const GaveUp& gave_up);
  std::string name_of(const TreeNode& node);
  // EACCES: the file's mode does not let the asker write. Asked at the opening, and at each command and
  // commit, because the right may have gone since.
  Result<> check_may_write(const TreeNode& node, const Asker& asker);
  Result<std::shared_ptr<OpenFile>> open_config(const TreeNode& node, const OpenMode& mode,
                                                const Asker& asker);
  // Makes the text the definition, or refuses it.
  Result<> commit(const TreeNode& config, std::string_view text, const Asker& asker);
  std::shared_ptr<OpenFile> open_control(const TreeNode& node, const Asker& asker);
  Result<std::shared_ptr<OpenFile>> open_image(const TreeNode& node, const Asker& asker);
  // Records the refusal of a call on an open file in the `error` nearest to the file.
  void note_refusal(const TreeNode& node, const Asker& asker, std::string_view what, const Error& why);

  // Checks that the asker may change files beside the definition in this directory.
  Result<> check_beside(const TreeNode& directory, const Asker& asker);
  Result<Created> create_unsettled(const TreeNode& directory, std::string_view name, std::uint32_t mode,
                                   const OpenMode& how, const Asker& asker);
  Result<> unlink_unsettled(const TreeNode& directory, std::string_view name, const Asker& asker);
  Result<> rename_beside(const TreeNode& directory, std::string_view old_name, std::string_view new_name,
                         const Asker& asker);

  // Returns the object or the collection that the node stands for, if users own it; id 0 for a collection.
  std::optional<ObjectId> own_subject(const TreeNode& node) const;
  // Returns the node's own subject, or else the object that the node belongs to.
  std::optional<ObjectId> owning_subject(const TreeNode& node) const;

  // Records a refusal in the event log and returns the outcome (law 15). `action` and `name` as in
  // "flow.create" of "flows/nightly"; an empty name means the object that the node belongs to.
  template <class T>
  Result<T> audited(const TreeNode& node, std::string_view action, std::string_view name, const Asker& asker,
                    Result<T> outcome) {
    if (!outcome) tell_of_refusal(node, action, name, outcome.error(), asker);
    return outcome;
  }
  void tell_of_refusal(const TreeNode& node, std::string_view action, std::string_view name, const Error& why,
                       const Asker& asker);
  // Returns the row of the links that users make in this directory.
  std::optional<RowIndex> attachment_in(const TreeNode& directory) const;
  Result<TreeNode> attach(const TreeNode& directory, std::string_view name, std::string_view target,
                          const Asker& asker);
  Result<> detach(const TreeNode& directory, std::string_view name, const Asker& asker);

  // EACCES: the directory's mode does not let the asker make, delete or rename there.
  Result<> check_may_change(const TreeNode& directory, const Asker& asker);
  // Returns the row of the objects that users make in this collection.
  Result<RowIndex> makeable(const TreeNode& directory, const Asker& asker);
  // Checks that the directory holds objects that may be removed: a user's, or removable ones of the daemon.
  Result<> check_holds_removable(const TreeNode& directory, const Asker& asker);
  // Finds an object to be removed or renamed, and checks that the asker may write to it.
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
  Holdings holdings_;
  OpenDirectories open_directories_;
  Scratches scratches_;
  Absences absences_;
  Saves saves_;
  EventText events_;
  Listings listings_;
  Differences differences_;
  const Clock& clock_;
};

}  // namespace holdfast::tree
