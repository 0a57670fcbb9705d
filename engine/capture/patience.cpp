#include "engine/capture/patience.h"

#include <algorithm>
#include <thread>

namespace holdfast::capture {

Result<> wait_until(std::chrono::steady_clock::time_point end, const source::Cancel* cancel) {
  constexpr std::chrono::milliseconds kLookedForCancel{50};
  for (auto now = std::chrono::steady_clock::now(); now < end; now = std::chrono::steady_clock::now()) {
    if (cancel != nullptr && cancel->requested()) return fail(ECANCELED, "cancelled");
    std::this_thread::sleep_until(std::min(end, now + kLookedForCancel));
  }
  return {};
}

}  // namespace holdfast::capture
