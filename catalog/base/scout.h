// The process that looks at paths of the host, called the scout. A looker, which is a child of it, looks at
// one path after another. A looker that a file system keeps is left there, and the scout makes another.
// Neither has a descriptor of the daemon: a process that hangs must hold none, above all not that of the
// daemon's mount.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "catalog/base/host_path.h"

namespace holdfast::scout {

// Asks at one end of a socket pair (SOCK_SEQPACKET) after a path; none of the hanging mounts is entered. The
// answer comes out of the given pipe.
Result<> ask(int socket, const std::string& path, Look look, const std::set<std::uint64_t>& hanging,
             int answer);

// Reads the answer from all that came out of the pipe.
Result<HostPath> understand(std::string bytes, const std::string& path);

// Returns the id of the mount that was entered last, from what has come so far; 0 if there is none.
std::uint64_t last_mount(std::string bytes);

// The life of the scout, which answers at the other end until the asker has closed his.
[[noreturn]] void answer_all(int socket);

}  // namespace holdfast::scout
