#include "engine/objects/allowances.h"

#include <algorithm>
#include <utility>

namespace holdfast {

Allowances::Answer Allowances::take(std::uint32_t uid, Time now) {
  const MutexLock lock(mutex_);
  User* known = users_.find(uid);
  if (known == nullptr) {
    users_.put(uid, {.left = each_.burst, .since = now});
    known = users_.find(uid);
  }
  // A clock that was set back neither gives nor takes.
  const auto grown = std::max<std::int64_t>(0, (now - known->since) / each_.pause);
  if (now < known->since || known->left == each_.burst) {
    known->since = now;
  } else {
    known->since += grown * each_.pause;
  }
  known->left = static_cast<int>(std::min<std::int64_t>(each_.burst, known->left + grown));
  if (known->left == each_.burst) known->told = false;
  if (known->left > 0) {
    --known->left;
    return Answer::granted;
  }
  return std::exchange(known->told, true) ? Answer::refused : Answer::first_refused;
}

}  // namespace holdfast
