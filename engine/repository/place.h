// A repository on disk: where its points lie, and whether the directory is really that repository.
//
//   holdfast.json   the marker: id and format version. An empty directory is initialised only when it is
//                   first configured; a missing marker later is an error, since its mount may be missing
//   INDEX.txt       for a person without Holdfast
//   sequence.json   the count of commits (sequence.h)
//   .lease          says who writes here (lease.h)
//   <machine key>/TIME[-N]/…           a point (draft.h)
//   <machine key>/TIME[-N].partial/    a point being written
//   <machine key>/TIME[-N].aside/      a point that the catalog disowns (aside.h)
//
// Any thread may call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/mutex.h"
#include "catalog/model/entities.h"
#include "engine/image/content_sums.h"
#include "engine/image/layer_files.h"
#include "engine/image/stack.h"
#include "engine/repository/aside.h"
#include "engine/repository/lease.h"

namespace holdfast::repository {

// Opens, for reading, a file that the catalog says is stored in the repository. A missing file is damage,
// with ENOENT, if the repository itself is there: see Place::check().
Result<std::unique_ptr<File>> open_stored(const Directory& directory, const std::string& path);
// Returns damage unless the checksums have this digest; "" is an unknown one. Sums vouch for an image, and
// the catalog for the sums, because whoever writes to a repository can make both anew.
Result<> check_sums(const File& sums, const std::string& sha256, const image::Watch& watch = {});

// Returns the id that a marker names. `path` is the repository, for sentences.
Result<std::string> parse_marker(const std::string& text, const std::string& path);

// Returns the bytes that backups may still take, where that share of the file system must stay free.
std::uint64_t room_for_backups(const Directory::Space& space, int reserve_percent);

class Place {
 public:
  struct Marker {
    std::string id;
    bool is_new = false;  // initialise() has made it
  };
  // Makes an empty directory a repository, or recognises a repository.
  static Result<Marker> initialise(const std::string& path);
  // Takes back what an initialise() has made, where nobody has written since.
  static Result<> undo_initialise(const std::string& path, const Marker& made);

  // Returns the id in the marker of the repository there; EIO if it is missing.
  static Result<std::string> marker_of(const std::string& path);
  // Returns EIO if the marker is missing or another repository's. A lease that can't be taken is told by
  // may_write().
  static Result<std::shared_ptr<Place>> open(const std::string& path, const std::string& marker,
                                             Taking taking = Taking::by_rule);

  // Checks the path and the marker again, because the file system may have been unmounted.
  Result<> check() const;

  // Returns the directory. Each change of it fails as may_write() does.
  Directory& directory() const { return *leased_; }
  // Returns ENOSPC if less than that share of the file system is free; fails as may_write() does.
  Result<> check_room(int reserve_percent) const;
  const std::string& path() const { return path_; }
  const std::string& marker() const { return marker_; }
  // One thread at a time counts commits here, or replaces facts of points.
  Mutex& counting() const { return counting_; }
  Mutex& telling() const { return telling_; }
  // One thread at a time mends layers here.
  Mutex& mending() const { return mending_; }
  const std::shared_ptr<Asides>& asides() const { return asides_; }
  // Returns EBUSY while another daemon holds the lease, or once one has taken it over; EROFS if it was opened
  // to be read only. Reading works all the same.
  Result<> may_write() const;
  // Returns who holds the lease, if anybody, for a person who takes it over; EBUSY if a process of this host
  // does.
  Result<std::optional<Holder>> may_be_taken_over() const;
  bool is_for_reading() const { return taking_ == Taking::nothing; }
  // Calls `tell` with the process that held the lease before and did not give it back, until a call succeeds.
  Result<> tell_former(const std::function<Result<>(const Holder&)>& tell) const;

  // Returns the layer as it lies here. The catalog may not know yet that a merged image has taken its place
  // (retention/merging.h); the id in the image's header tells.
  Result<Layer> as_it_lies(const std::string& machine_key, const Layer& layer) const;
  // Opens a disk's layers, the newest first, for reading. Checksums are verified unless `checked` is false:
  // those of each read, and first the digests of the checksums that the layers have. A missing file is
  // damage, as for open_stored().
  Result<std::shared_ptr<image::Stack>> open_stack(const std::string& machine_key,
                                                   const std::vector<Layer>& layers,
                                                   bool checked = true) const;
  struct LayerPaths {
    std::string image, sums, content;  // relative to the repository
  };
  // Opens the content sums written with the layer. Returns damage if they are missing or not what was
  // written.
  Result<image::ContentReader> open_content(const std::string& machine_key, const Layer& layer,
                                            const image::ContentShape& shape,
                                            const std::string& sha256) const;
  static LayerPaths paths_of(const std::string& machine_key, const Layer& layer);

  // Removes all files of a point that the catalog has not committed. Its published files go only if this life
  // of the daemon published them: else the catalog may be an older copy of one that has committed the point.
  // A point that others rest on, or whose facts were told, stays then; any other is set aside as TIME.aside,
  // for a person to delete (law 21). Where the catalog lacks commits (sequence.h), published files stay, and
  // others are set aside.
  enum class Publisher { this_life, unknown, newer_catalog };
  Result<> discard(const std::string& machine_key, const std::string& point_name, Publisher publisher) const;
  // Whether published files that this catalog has not committed may be a point of a newer catalog: then
  // nobody may take them back.
  Result<bool> may_be_committed(const std::string& machine_key, const std::string& point_name,
                                Publisher publisher) const;

 private:
  Result<bool> is_relied_on(const std::string& machine_key, const std::string& point_name) const;
  using Identity = std::pair<std::uint64_t, std::uint64_t>;  // a directory's device and inode
  static Result<Identity> identity_of(const std::string& path);
  Place(std::string path, std::string marker, std::unique_ptr<Directory> directory, Identity identity,
        Taking taking);

  const std::string path_;
  const std::string marker_;
  const std::unique_ptr<Directory> directory_;
  const std::unique_ptr<Directory> leased_;  // the same, for all but the lease itself
  const Identity identity_;
  const Taking taking_;
  mutable Mutex counting_, telling_, mending_;
  const std::shared_ptr<Asides> asides_ = std::make_shared<Asides>();
  const Result<std::unique_ptr<Lease>> lease_;
  mutable Mutex former_mutex_;
  mutable std::optional<Holder> untold_former_ HF_GUARDED_BY(former_mutex_);
};

}  // namespace holdfast::repository
