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

struct Entry {
  std::string name;
  NodeKind kind = NodeKind::directory;
  std::uint64_t inode = 0;
};

class Tree {
 public:
  using GaveUp = Reading::GaveUp;
  static bool never() { return false; }

  Tree(Engine& engine, const Clock& clock);

  static Place root() { return {}; }
  NodeKind kind(const Place& place) const { return outline_.at(place.row).row->kind; }

  // Why a name that no listing has means nothing is told in its directory's `error`.
  Result<Place> lookup(const Place& directory, std::string_view name, const Asker& asker);
  // For him: some files are of another size for each who asks. `gave_up`: of whoever waits for what takes
  // long.
  Result<Attributes> attributes(const Place& place, const Asker& asker, const GaveUp& gave_up = never);
  // Whether that depends on his supplementary groups.
  bool is_personal(const Place& place) const {
    return kind(place) == NodeKind::log || kind(place) == NodeKind::lines ||
           knot(place).row->show_to != nullptr;
  }
  // Whether its attributes and its text can take long: a repository is read for them.
  bool is_slow(const Place& place) const { return kind(place) == NodeKind::difference; }
  // Whether a repository is asked before anything goes from there: rmdir on a point.
  bool removes_slowly(const Place& directory) const;
  // Without "." and "..": what the asker may know of.
  Result<std::vector<Entry>> entries(const Place& directory, const Asker& asker);
  Result<std::string> link_target(const Place& link);

  struct OpenMode {
    bool read = false;
    bool write = false;
    bool truncate = false;
  };
  Result<std::shared_ptr<OpenFile>> open(const Place& place, const OpenMode& mode, const Asker& asker,
                                         const GaveUp& gave_up = never);

  // Files beside a definition (rule 3): scratch files come and go; config.json itself may go for a moment.
  struct Created {
    Place place;
    std::shared_ptr<OpenFile> file;
  };
  Result<Created> create(const Place& directory, std::string_view name, std::uint32_t mode,
                         const OpenMode& how, const Asker& asker);
  Result<> unlink(const Place& directory, std::string_view name, const Asker& asker);

  Result<Place> make_directory(const Place& directory, std::string_view name, const Asker& asker);
  Result<> remove_directory(const Place& directory, std::string_view name, const Asker& asker);
  Result<> rename(const Place& from, std::string_view old_name, const Place& to, std::string_view new_name,
                  const Asker& asker);
  // chown, chmod, truncate by name, times. What changes nothing succeeds: many tools do it.
  struct Change {
    std::optional<std::uint32_t> uid, gid, mode;
    std::optional<std::uint64_t> size;
  };
  Result<> change(const Place& place, const Change& change, const Asker& asker);
  // ln -s and rm of links that stand for something: the target is read as an object's name (rule 9).
  Result<Place> make_link(const Place& directory, std::string_view name, std::string_view target,
                          const Asker& asker);
  // Whatever else changes a directory is never permitted; `what` says it, as "link x".
  Result<> refuse(const Place& directory, std::string_view what, const Asker& asker);

 private:
  const Outline::Knot& knot(const Place& place) const { return outline_.at(place.row); }

  // The directory that a node lies in.
  Place directory_of(const Place& place) const;
  Result<Place> lookup_unsettled(const Place& directory, std::string_view name);
  Result<Place> lookup_object(const Place& directory, RowIndex row, std::string_view name);
  bool is_present(const Place& place);
  Result<Ownership> ownership(const Place& place);
  Result<std::vector<Named>> members(const Place& directory, RowIndex row);
  bool may_know_of(const Place& place, Sight& sight);
  // Of names for what a command makes: a fixed file bears it in one of the directories that it may go to.
  bool is_reserved_below(RowIndex directory, std::string_view name) const;

  Result<std::shared_ptr<OpenFile>> open_unsettled(const Place& place, const OpenMode& mode,
                                                   const Asker& asker, const GaveUp& gave_up);
  std::string name_of(const Place& place);
  Result<std::shared_ptr<OpenFile>> open_config(const Place& place, const OpenMode& mode, const Asker& asker);
  // The text becomes the definition, or is refused.
  Result<> commit(const Place& config, std::string_view text, const Asker& asker);
  std::shared_ptr<OpenFile> open_control(const Place& place, const Asker& asker);
  Result<std::shared_ptr<OpenFile>> open_image(const Place& place, const Asker& asker);
  // What is refused of an open file goes into the `error` beside it.
  void note_refusal(const Place& place, const Asker& asker, std::string_view what, const Error& why);

  // Nothing when he may change what lies beside this object's definition.
  Result<> check_beside(const Place& directory, const Asker& asker);
  Result<Created> create_unsettled(const Place& directory, std::string_view name, std::uint32_t mode,
                                   const OpenMode& how, const Asker& asker);
  Result<> unlink_unsettled(const Place& directory, std::string_view name, const Asker& asker);
  Result<> rename_beside(const Place& directory, std::string_view old_name, std::string_view new_name,
                         const Asker& asker);

  // Whose the node is by itself: an object that users make, a collection of them, or, of all else, nobody's.
  std::optional<Subject> own_subject(const Place& place) const;
  // That, or what the node belongs to.
  std::optional<Subject> owning_subject(const Place& place) const;

  // Law 15: hands the outcome on, and has the event log know of a refusal. `action` and `name` as
  // in "flow.create" of "flows/nightly"; without a name it is what the place belongs to.
  template <class T>
  Result<T> audited(const Place& place, std::string_view action, std::string_view name, const Asker& asker,
                    Result<T> outcome) {
    if (!outcome) tell_of_refusal(place, action, name, outcome.error(), asker);
    return outcome;
  }
  void tell_of_refusal(const Place& place, std::string_view action, std::string_view name, const Error& why,
                       const Asker& asker);
  // The row of the links that users make in this directory.
  std::optional<RowIndex> attachment_in(const Place& directory) const;
  Result<Place> attach(const Place& directory, std::string_view name, std::string_view target,
                       const Asker& asker);
  Result<> detach(const Place& directory, std::string_view name, const Asker& asker);

  // EACCES: its mode does not let him make, delete or rename there.
  Result<> check_may_change(const Place& directory, const Asker& asker);
  // The row of the objects that users make in this collection.
  Result<RowIndex> makeable(const Place& directory, const Asker& asker);
  // Something that may be deleted there: one of them, or what the daemon has made and lets go.
  Result<> check_holds_removable(const Place& directory, const Asker& asker);
  // One of them, to be deleted or renamed: he has the right to write to it, too.
  Result<Place> changeable(const Place& directory, std::string_view name, const Asker& asker);
  Result<Place> make_unsettled(const Place& directory, std::string_view name, const Asker& asker);
  Result<> remove_unsettled(const Place& directory, std::string_view name, const Asker& asker);
  Result<> rename_unsettled(const Place& from, std::string_view old_name, const Place& to,
                            std::string_view new_name, const Asker& asker);
  Result<> change_scratch(const Place& place, const Change& change);
  Result<> give(const Place& place, const Ownership& ownership, const Asker& asker);
  Result<> resize(const Place& place, std::uint64_t size, const Asker& asker);

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
