// The directory of the mount: checks it, detaches the mount of a killed daemon, mounts and unmounts.
#pragma once

#include <string>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast::mount {

// Names that `mount` and /proc show for the mount.
inline constexpr char kSource[] = "holdfast";
inline constexpr char kType[] = "fuse.holdfast";

// Returns the absolute path of a usable mount point; detaches a dead mount of Holdfast first. EBUSY: a live
// mount is there. ENOENT, ENOTDIR: there is no such directory.
Result<std::string> prepare_mount_point(const std::string& path);

// Mounts and returns the descriptor of /dev/fuse that serves the mount.
Result<Fd> mount_at(const std::string& path, std::size_t largest_read);

// Unmounts at once. Files that are open stay open while the daemon answers.
Result<> detach(const std::string& path);

// Raises the kernel's read-ahead from 128 KiB to the size of the largest read.
void raise_read_ahead(const std::string& path);

}  // namespace holdfast::mount
