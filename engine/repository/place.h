// A repository on disk: where points lie, and whether this is really it.
//
//   holdfast.json   the marker: id and format version. An empty directory is initialised only when it is
//                   first configured; a missing marker later is an error (a mount that is not there!)
//   INDEX.txt       for a person without Holdfast
//   .lease          who writes here now; held with flock(2) as long as the Place lives
//   <machine key>/TIME[-N]/…           a point (draft.h)
//   <machine key>/TIME[-N].partial/    not yet one
//
// Any thread may call.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/fd.h"
#include "catalog/model/entities.h"
#include "engine/image/content_sums.h"
#include "engine/image/stack.h"

namespace holdfast::repository {

class Place {
 public:
  // Makes an empty directory a repository, or recognises one that is: its marker's id.
  static Result<std::string> initialise(const std::string& path);

  // EIO when the marker is missing or another's.
  static Result<std::shared_ptr<Place>> open(const std::string& path, const std::string& marker);

  // Looks at the path and the marker again: the file system may have gone since.
  Result<> check() const;

  Directory& directory() const { return *directory_; }
  // ENOSPC when less than that share of the file system is free.
  Result<> check_room(int reserve_percent) const;
  const std::string& path() const { return path_; }
  // EBUSY while another daemon writes here; what can be read can be read all the same.
  const Result<>& may_write() const { return may_write_; }

  // The layers of a disk, the newest first, ready to be read, and checked unless that is not wanted.
  Result<std::shared_ptr<image::Stack>> open_stack(const std::string& machine_key,
                                                   const std::vector<Layer>& layers,
                                                   bool checked = true) const;
  struct LayerPaths {
    std::string image, sums, content;  // in the repository
  };
  // What the disk held when the layer was written, by its sums. ENOENT when they are missing, EIO when they
  // are not what was written.
  Result<image::ContentReader> open_content(const std::string& machine_key, const Layer& layer,
                                            const image::ContentShape& shape,
                                            const std::string& sha256) const;
  static LayerPaths paths_of(const std::string& machine_key, const Layer& layer);

  // Takes away all of a point that the catalog doesn't have as committed, published or not.
  Result<> discard(const std::string& machine_key, const std::string& point_name) const;

 private:
  using Identity = std::pair<std::uint64_t, std::uint64_t>;  // of a directory: device and inode
  static Result<Identity> identity_of(const std::string& path);
  Place(std::string path, std::string marker, std::unique_ptr<Directory> directory, Identity identity);
  Result<> take_lease();

  const std::string path_;
  const std::string marker_;
  const std::unique_ptr<Directory> directory_;
  const Identity identity_;
  Fd lease_;
  Result<> may_write_;
};

}  // namespace holdfast::repository
