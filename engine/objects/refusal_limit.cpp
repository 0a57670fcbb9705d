#include "engine/objects/refusal_limit.h"

#include <algorithm>
#include <utility>

namespace holdfast {

RefusalLimit::Answer RefusalLimit::judge(std::uint32_t uid, Time now) {
  const MutexLock lock(mutex_);
  Allowance* known = users_.find(uid);
  if (known == nullptr) {
    users_.put(uid, {.since = now});
    known = users_.find(uid);
  }
  // A clock that was set back neither gives nor takes.
  const auto grown = std::max<std::int64_t>(0, (now - known->since) / kPause);
  if (now < known->since || known->left == kBurst) {
    known->since = now;
  } else {
    known->since += grown * kPause;
  }
  known->left = static_cast<int>(std::min<std::int64_t>(kBurst, known->left + grown));
  if (known->left == kBurst) known->told = false;
  if (known->left > 0) {
    --known->left;
    return Answer::record;
  }
  return std::exchange(known->told, true) ? Answer::leave_out : Answer::tell;
}

}  // namespace holdfast
