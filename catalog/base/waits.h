// Checks that no thread waits for a file system or a source while it holds the catalog's writer, because
// everybody else would wait as well (law 20). Only builds with a sanitizer check.
#pragma once

#include <string_view>

namespace holdfast {

#ifdef HOLDFAST_CHECK_WAITS
// While one lives, its thread must not wait.
class NoWaits {
 public:
  NoWaits();
  ~NoWaits();
  NoWaits(const NoWaits&) = delete;
  NoWaits& operator=(const NoWaits&) = delete;
};
// Call where a thread may come to wait. Aborts, with both stacks, if it must not.
void may_wait(std::string_view what);
#else
class NoWaits {
 public:
  NoWaits() {}  // not trivial, so that an object of it counts as used
  ~NoWaits() {}
};
inline void may_wait(std::string_view) {}
#endif

}  // namespace holdfast
