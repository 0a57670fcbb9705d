#pragma once

#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"
#include "engine/common/deadline.h"

namespace holdfast::source::qmp {

// Connects to a socket of QEMU's; `what` names it in sentences: "QMP socket". The connection is non-blocking.
// Connecting waits while other clients wait for the same socket, because the kernel's queue for it is short.
Result<Fd> connect_unix(const std::string& path, std::string_view what, const Deadline& deadline);

// The same for a socket that was looked up: connects to `place`, and names it `path` in sentences.
Result<Fd> connect_at(const std::string& place, const std::string& path, std::string_view what,
                      const Deadline& deadline);

// Sends all of `text`. ETIMEDOUT if the deadline passes first; any other errno is the system's.
Result<> send_all(const Fd& socket, std::string_view text, const Deadline& deadline);

}  // namespace holdfast::source::qmp
