#include "fsd/tree/refusals.h"

#include <algorithm>
#include <cstring>

namespace holdfast::tree {
namespace {

constexpr std::size_t kMost = 4096;

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

Refusals::Note Refusals::of(const TreeNode& directory, std::uint32_t uid) const {
  const MutexLock lock(mutex_);
  const auto found = index_.find({directory, uid});
  return found == index_.end() ? Note{} : found->second->second;
}

void Refusals::remember(const TreeNode& directory, std::uint32_t uid, std::string_view what,
                        const Error& error) {
  const Time now = clock_.now();
  const std::string line =
      fmt::format("{} {}: {}: {}", iso_time(now), what, errno_name(error.code), error.message);
  Note note{on_one_line(line) + "\n", now};
  const Key key{directory, uid};
  const MutexLock lock(mutex_);
  if (const auto older = index_.find(key); older != index_.end()) notes_.erase(older->second);
  notes_.emplace_front(key, std::move(note));
  index_[key] = notes_.begin();
  if (notes_.size() > kMost) {
    index_.erase(notes_.back().first);
    notes_.pop_back();
  }
}

void Refusals::forget(const TreeNode& directory, std::uint32_t uid) {
  const MutexLock lock(mutex_);
  const auto found = index_.find({directory, uid});
  if (found == index_.end()) return;
  notes_.erase(found->second);
  index_.erase(found);
}

}  // namespace holdfast::tree
