// File systems in memory, each mounted at a directory of its own. They need root.
#pragma once

#include <sys/mount.h>

#include <stdexcept>
#include <string>

#include "tests/lib/temporary_directory.h"

namespace holdfast::test {

class MountedInMemory {
 public:
  MountedInMemory(const std::string& type, const std::string& options) {
    if (::mount(type.c_str(), directory_.path().c_str(), type.c_str(), 0, options.c_str()) != 0)
      throw std::runtime_error("a " + type + " can't be mounted: is this root?");
  }
  ~MountedInMemory() { ::umount2(directory_.path().c_str(), MNT_DETACH); }
  MountedInMemory(const MountedInMemory&) = delete;
  MountedInMemory& operator=(const MountedInMemory&) = delete;

  const std::string& path() const { return directory_.path(); }

 private:
  TemporaryDirectory directory_;
};

// For tests of a full disk.
class SmallFileSystem : public MountedInMemory {
 public:
  explicit SmallFileSystem(std::uint64_t bytes)
      : MountedInMemory("tmpfs", "mode=0700,size=" + std::to_string(bytes)) {}
};

// Refuses to punch holes. Reports no free space, because it has no size.
class FileSystemWithoutHoles : public MountedInMemory {
 public:
  FileSystemWithoutHoles() : MountedInMemory("ramfs", "mode=0700") {}
};

}  // namespace holdfast::test
