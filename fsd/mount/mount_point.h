// The directory that we are mounted on: whether it can be used, and getting rid of what a killed daemon
// left there.
#pragma once

#include <string>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast::mount {

// What `mount` and /proc show of us.
inline constexpr char kSource[] = "holdfast";
inline constexpr char kType[] = "fuse.holdfast";

// The absolute path. A dead mount of ours (its daemon was killed) is detached first. EBUSY: something that
// lives is mounted there. ENOENT, ENOTDIR: there is no such directory.
Result<std::string> prepare_mount_point(const std::string& path);

// Mounts; the descriptor is the kernel's end of it.
Result<Fd> mount_at(const std::string& path, std::size_t largest_read);

// Out of everybody's sight at once; who has files open there keeps them while we answer.
Result<> detach(const std::string& path);

// The kernel reads ahead 128 KiB on its own, which is an eighth of what one of our reads may be.
void raise_read_ahead(const std::string& path);

}  // namespace holdfast::mount
