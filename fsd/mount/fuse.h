// libfuse, and what every handler does with it.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include <utility>

#include "catalog/base/error.h"

namespace holdfast::mount {

// 0 or the errno of what came of it.
template <class T>
void reply_outcome(fuse_req_t request, const Result<T>& outcome) {
  fuse_reply_err(request, outcome ? 0 : outcome.error().code);
}

}  // namespace holdfast::mount
