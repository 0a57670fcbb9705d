#pragma once

#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"
#include "engine/sources/deadline.h"

namespace holdfast::source::qmp {

// A connection to a socket of QEMU's, which `what` names in sentences: "QMP socket". It doesn't block from
// here on. While others wait for the same socket, connecting waits too: the kernel keeps a short queue for
// it.
Result<Fd> connect_unix(const std::string& path, std::string_view what, const Deadline& deadline);

// All of it. ETIMEDOUT when the deadline passes first; any other errno is the system's.
Result<> send_all(const Fd& socket, std::string_view text, const Deadline& deadline);

}  // namespace holdfast::source::qmp
