// A file of the host that is to be read as an image: opened so that it is the one that was named, and so that
// it stays as it is.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast::foreign {

// Read-only. While it is open, QEMU's programs can read it, too, but none can begin to write to it. Any
// thread may call.
class ImageFile {
 public:
  // An absolute path of a regular file or block device. EINVAL: it is something else, or a symbolic link is
  // on the way; the sentence has the path without. EBUSY: it is being written to.
  static Result<ImageFile> open(const std::string& path);

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  // The same once more: what one of the two keeps away, both do, until both are gone.
  Result<ImageFile> share() const;
  // The same, for a reader that wants one of its own.
  Result<std::unique_ptr<File>> file() const;
  // EBUSY when it isn't what was opened any more: somebody who knows no locks has written to it.
  Result<> check_unchanged() const;

 private:
  ImageFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<> keep_from_changing() const;

  Fd fd_;
  std::string path_;
  struct stat opened_ {};
};

}  // namespace holdfast::foreign
