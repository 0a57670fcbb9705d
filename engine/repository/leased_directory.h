// A directory that nobody changes without the lease: whoever has lost it writes over nobody's work (law 12).
#pragma once

#include <functional>
#include <memory>

#include "catalog/base/disk.h"

namespace holdfast::repository {

// Hands everything on to the directory, which must outlive it. Each change, and each opening for writing,
// asks `may_write` before and fails as that does.
std::unique_ptr<Directory> leased_directory(Directory& directory, std::function<Result<>()> may_write);

}  // namespace holdfast::repository
