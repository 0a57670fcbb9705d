// Opens a file or block device as a disk: without symbolic links, and with a stable identity.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast::source::file {

struct DiskFile {
  Fd fd;
  std::string path;
  std::uint64_t size = 0;
  bool is_device = false;
  // The same for as long as the disk is the same, across restarts if possible. A file has its inode and time
  // of birth; a device its serial number, or else its device number.
  std::string identity;
};

// Opens a disk for reading. Refuses a symbolic link in the path: its owner could turn it to any file of the
// host, and read that file in a point. Links below /dev are allowed, because the system owns them; they must
// lead to devices.
Result<DiskFile> open_disk(const std::string& path);

}  // namespace holdfast::source::file
