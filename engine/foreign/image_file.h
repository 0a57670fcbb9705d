// A host file that is read as an image. It is opened under exactly its given name, and locked against
// writers.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast::foreign {

// Read-only. While the file is open, QEMU's programs can read it, but can't begin to write to it. Any thread
// may call.
class ImageFile {
 public:
  // `path` is the absolute path of a regular file or block device. EINVAL: another kind of file, or a path
  // through a symbolic link; the sentence then has the resolved path. EBUSY: a program writes to the file.
  static Result<ImageFile> open(const std::string& path);

  const std::string& path() const { return path_; }
  int fd() const { return fd_.get(); }
  // Returns a second handle of the same open file. The lock stays until both handles are closed.
  Result<ImageFile> share() const;
  // Returns the same open file for readers of a File.
  Result<std::unique_ptr<File>> file() const;
  // EBUSY if the file has changed since open(): a program that takes no locks has written to it.
  Result<> check_unchanged() const;

 private:
  ImageFile(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<> keep_from_changing() const;

  Fd fd_;
  std::string path_;
  struct stat opened_ {};
};

}  // namespace holdfast::foreign
