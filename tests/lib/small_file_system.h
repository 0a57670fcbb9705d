#pragma once

#include <sys/mount.h>

#include <stdexcept>
#include <string>

#include "tests/lib/temporary_directory.h"

namespace holdfast::test {

// A small file system of its own, for tests of a full disk. Needs root.
class SmallFileSystem {
 public:
  explicit SmallFileSystem(std::uint64_t bytes) {
    if (::mount("tmpfs", directory_.path().c_str(), "tmpfs", 0,
                ("mode=0700,size=" + std::to_string(bytes)).c_str()) != 0)
      throw std::runtime_error("a tmpfs can't be mounted: is this root?");
  }
  ~SmallFileSystem() { ::umount2(directory_.path().c_str(), MNT_DETACH); }
  SmallFileSystem(const SmallFileSystem&) = delete;
  SmallFileSystem& operator=(const SmallFileSystem&) = delete;

  const std::string& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

}  // namespace holdfast::test
