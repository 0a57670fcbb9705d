// The share of stored bytes that were read and found right.
#include <cmath>

#include "engine/status/views.h"

namespace holdfast {

// Rounds down, so that 1 means everything.
VerifiedView view_verified(const Readings::Total& total) {
  constexpr double kSteps = 10'000;
  VerifiedView view{.last_at = total.last_verified_at, .share = {}};
  if (total.layer_bytes == 0) return view;
  const double share = static_cast<double>(total.sound_bytes) / static_cast<double>(total.layer_bytes);
  view.share = std::floor(share * kSteps) / kSteps;
  return view;
}

}  // namespace holdfast
