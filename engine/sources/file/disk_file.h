// A file or block device as a disk: opened so that nobody can slip in another one, and known again.
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
  // The same for as long as it is the same disk, over restarts where that can be had: a file's inode and time
  // of birth; a device's serial number, or else its number.
  std::string identity;
};

// For reading. A symbolic link on the way is refused, since whoever owns it could turn it to any file of the
// host, and read that in a point of his own; below /dev links are the system's, and lead to devices alone.
Result<DiskFile> open_disk(const std::string& path);

}  // namespace holdfast::source::file
