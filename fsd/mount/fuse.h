// libfuse, and what every handler does with it.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include <exception>
#include <utility>

#include "catalog/base/error.h"
#include "catalog/base/log.h"

namespace holdfast::mount {

// 0 or the errno of what came of it.
template <class T>
void reply_outcome(fuse_req_t request, const Result<T>& outcome) {
  fuse_reply_err(request, outcome ? 0 : outcome.error().code);
}

// A handler as libfuse takes it. Errors are values here; what a library throws all the same ends its request,
// and not the daemon. A handler's reply is the last thing that it does.
template <auto handler>
struct Guarded;
template <class... Arguments, void (*handler)(fuse_req_t, Arguments...)>
struct Guarded<handler> {
  static void handle(fuse_req_t request, Arguments... arguments) {
    try {
      handler(request, arguments...);
    } catch (const std::exception& thrown) {
      log::error("a request of the mount failed: {}", thrown.what());
      fuse_reply_err(request, EIO);
    }
  }
};
template <auto handler>
constexpr auto guarded = &Guarded<handler>::handle;

}  // namespace holdfast::mount
