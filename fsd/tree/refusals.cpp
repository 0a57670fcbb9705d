#include "fsd/tree/refusals.h"

#include <algorithm>
#include <cstring>

namespace holdfast::tree {
namespace {

// Replaces control characters, so that the note stays one line.
std::string on_one_line(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return c < ' '; }, ' ');
  return text;
}

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

void Refusals::remember(const TreeNode& directory, std::uint32_t uid, std::string_view what,
                        const Error& error) {
  const Time now = clock_.now();
  const std::string line =
      fmt::format("{} {}: {}: {}", iso_time(now), what, errno_name(error.code), error.message);
  const MutexLock lock(mutex_);
  notes_.put({directory, uid}, {on_one_line(line) + "\n", now});
}

void Refusals::forget(const TreeNode& directory, std::uint32_t uid) {
  const MutexLock lock(mutex_);
  notes_.erase({directory, uid});
}

}  // namespace holdfast::tree
