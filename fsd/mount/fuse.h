// libfuse, and the steps that all handlers share.
#pragma once

#include <fuse3/fuse_lowlevel.h>

#include <exception>
#include <utility>

#include "catalog/base/error.h"
#include "catalog/base/log.h"

namespace holdfast::mount {

// Replies with 0, or with the errno of the outcome.
template <class T>
void reply_outcome(fuse_req_t request, const Result<T>& outcome) {
  fuse_reply_err(request, outcome ? 0 : outcome.error().code);
}

// A handler as libfuse takes it. An exception of a library ends its request with EIO, and the daemon goes on.
// A handler replies as its last step.
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
