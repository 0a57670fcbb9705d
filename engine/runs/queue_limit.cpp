#include "engine/runs/queue_limit.h"

namespace holdfast::runs {
namespace {

template <class Key>
std::size_t count_of(const std::map<Key, std::size_t>& counts, const Key& key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

template <class Key>
void take_one(std::map<Key, std::size_t>& counts, const Key& key) {
  const auto found = counts.find(key);
  if (--found->second == 0) counts.erase(found);
}

}  // namespace

Result<> QueueLimit::check(const Asked& asked) const {
  if (asked.uid == 0) return {};
  if (const std::size_t count = count_of(of_user_, asked.uid); count >= kMostOfUser)
    return fail(
        EDQUOT,
        "{} jobs that you asked for have not ended, and at most {} of a user are taken; let some end, or "
        "write 'cancel' to their control",
        count, kMostOfUser);
  if (asked.object != 0 && count_of(at_object_, asked.object) >= kMostAtObject)
    return fail(
        EDQUOT,
        "{} jobs that were asked for here have not ended, and no more are taken; let some end, or write "
        "'cancel' to their control",
        kMostAtObject);
  return {};
}

void QueueLimit::add(const Asked& asked) {
  if (asked.uid == 0) return;
  ++of_user_[asked.uid];
  if (asked.object != 0) ++at_object_[asked.object];
}

void QueueLimit::remove(const Asked& asked) {
  if (asked.uid == 0) return;
  take_one(of_user_, asked.uid);
  if (asked.object != 0) take_one(at_object_, asked.object);
}

}  // namespace holdfast::runs
