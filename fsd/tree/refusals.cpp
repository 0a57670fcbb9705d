#include "fsd/tree/refusals.h"

#include <cstring>

#include "catalog/base/cut.h"

namespace holdfast::tree {
namespace {

const char* errno_name(int code) {
  const char* name = strerrorname_np(code);
  return name == nullptr ? "?" : name;
}

}  // namespace

Refusals::Note Refusals::of(const TreeNode& directory, std::uint32_t uid) {
  const MutexLock lock(mutex_);
  const Note* found = notes_.find({directory, uid});
  return found == nullptr ? Note{} : *found;
}

void Refusals::remember(const TreeNode& directory, const Asker& asker, std::string_view what,
                        const Error& error, std::string_view text) {
  const std::string given = fmt::format("{} {}", what, text);
  const Time now = clock_.now();
  const std::string line = fmt::format("{} {}: {}: {}", iso_time(now), what, errno_name(error.code),
                                       cut(tell_(error.message, asker, given), kLongestMessage));
  const MutexLock lock(mutex_);
  notes_.put({directory, asker.uid}, {on_one_line(line) + "\n", now});
}

void Refusals::forget(const TreeNode& directory, std::uint32_t uid) {
  const MutexLock lock(mutex_);
  notes_.erase({directory, uid});
}

}  // namespace holdfast::tree
