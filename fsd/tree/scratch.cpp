#include "fsd/tree/scratch.h"

#include <algorithm>
#include <cstring>

namespace holdfast::tree {
namespace {

constexpr std::ptrdiff_t kMostOfUser = 32;
constexpr auto kLifetime = std::chrono::minutes(15);

}  // namespace

Scratch::Scratch(const Ownership& ownership, const Clock& clock, Holdings::Share share)
    : clock_(clock), share_(std::move(share)), ownership_(ownership), changed_at_(clock.now()) {}

Scratch::State Scratch::state() const {
  const MutexLock lock(mutex_);
  return {ownership_, text_.size(), changed_at_};
}

std::string Scratch::text() const {
  const MutexLock lock(mutex_);
  return text_;
}

std::size_t Scratch::read(std::uint64_t offset, ByteSpan into) const {
  const MutexLock lock(mutex_);
  if (offset >= text_.size()) return 0;
  const std::size_t length = std::min<std::size_t>(into.size(), text_.size() - offset);
  std::memcpy(into.data(), text_.data() + offset, length);
  return length;
}

Result<> Scratch::write(std::uint64_t offset, std::string_view bytes, bool append) {
  const MutexLock lock(mutex_);
  if (append) offset = text_.size();
  if (offset > kLargest || bytes.size() > kLargest - offset)
    return fail(EFBIG, "a scratch file has at most {} bytes", kLargest);
  if (text_.size() < offset + bytes.size()) {
    HF_CHECK(share_.resize(offset + bytes.size()));
    text_.resize(offset + bytes.size());
  }
  text_.replace(offset, bytes.size(), bytes);
  changed_at_ = clock_.now();
  return {};
}

Result<> Scratch::truncate(std::uint64_t size) {
  const MutexLock lock(mutex_);
  if (size > kLargest) return fail(EFBIG, "a scratch file has at most {} bytes", kLargest);
  HF_CHECK(share_.resize(size));
  text_.resize(size);
  text_.shrink_to_fit();
  changed_at_ = clock_.now();
  return {};
}

void Scratch::own(const Ownership& ownership) {
  const MutexLock lock(mutex_);
  ownership_ = ownership;
}

Result<Id> Scratches::create(const TreeNode& directory, std::string_view name, const Ownership& ownership) {
  const MutexLock lock(mutex_);
  expire();
  const auto owned = std::ranges::count_if(
      entries_, [&](const auto& entry) { return entry.second.file->state().ownership.uid == ownership.uid; });
  if (owned >= kMostOfUser)
    return fail(EDQUOT, "you have {} scratch files; delete some, or wait until they expire", owned);
  HF_TRY(auto share, holdings_.bytes(ownership.uid, 0));
  const Id id = new_id();
  entries_[id] = {directory, std::string{name},
                  std::make_shared<Scratch>(ownership, clock_, std::move(share))};
  return id;
}

std::shared_ptr<Scratch> Scratches::get(Id id) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : found->second.file;
}

Id Scratches::find(const TreeNode& directory, std::string_view name) const {
  const MutexLock lock(mutex_);
  for (const auto& [id, entry] : entries_)
    if (entry.name == name && entry.directory == directory) return id;
  return 0;
}

std::vector<Named> Scratches::list(const TreeNode& directory) const {
  const MutexLock lock(mutex_);
  std::vector<Named> all;
  for (const auto& [id, entry] : entries_)
    if (entry.directory == directory) all.push_back({id, entry.name});
  return all;
}

std::string Scratches::name_of(Id id) const {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  return found == entries_.end() ? "" : found->second.name;
}

void Scratches::remove(Id id) {
  const MutexLock lock(mutex_);
  entries_.erase(id);
}

void Scratches::rename(Id id, std::string_view name) {
  const MutexLock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.name == name) return;
  std::erase_if(entries_, [&](const auto& other) {
    return other.second.name == name && other.second.directory == found->second.directory;
  });
  found->second.name = name;
}

void Scratches::expire() {
  const Time oldest = clock_.now() - kLifetime;
  std::erase_if(entries_, [&](const auto& entry) {
    return entry.second.file.use_count() == 1 && entry.second.file->state().changed_at < oldest;
  });
}

}  // namespace holdfast::tree
