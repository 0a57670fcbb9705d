#include "fsd/tree/listings.h"

#include <algorithm>

namespace holdfast::tree {
namespace {

constexpr std::size_t kKept = 32;

bool same_reader(const Asker& a, const Asker& b) {
  return a.uid == b.uid && a.gid == b.gid && a.groups == b.groups;
}

}  // namespace

std::list<Listings::Counted>::iterator Listings::find(RowIndex row, const Asker& reader) {
  return std::ranges::find_if(counted_, [&](const Counted& counted) {
    return counted.row == row && same_reader(counted.reader, reader);
  });
}

Result<Listings::Extent> Listings::extent(RowIndex row, NextPage next, const Asker& reader) {
  HF_TRY(const Id newest, engine_.status().newest_event());
  {
    const MutexLock lock(mutex_);
    const auto known = find(row, reader);
    if (known != counted_.end() && known->newest_event == newest) return known->extent;
  }
  Counted now{row, reader, newest, 0, {0, clock_.now()}};
  for (Id after = 0;;) {
    HF_TRY(const Page page, next(engine_, after, reader));
    if (page.last == 0) break;
    now.extent.size += page.text.size();
    now.hash = now.hash * 31 + std::hash<std::string>{}(page.text);
    after = page.last;
  }
  const MutexLock lock(mutex_);
  if (const auto before = find(row, reader); before != counted_.end()) {
    // An event that did not change the text does not change its time either.
    if (before->hash == now.hash && before->extent.size == now.extent.size) now.extent = before->extent;
    counted_.erase(before);
  }
  counted_.push_front(now);
  if (counted_.size() > kKept) counted_.pop_back();
  return now.extent;
}

Result<bool> ListingFile::turn_to(std::uint64_t offset) {
  if (offset < begin_) {
    begin_ = 0;
    last_ = 0;
    page_.clear();
    ended_ = false;
  }
  while (!ended_ && offset >= begin_ + page_.size()) {
    HF_TRY(Page next, next_(engine_, last_, reader_));
    ended_ = next.last == 0;
    if (ended_) break;
    begin_ += page_.size();
    page_ = std::move(next.text);
    last_ = next.last;
  }
  return offset < begin_ + page_.size();
}

Result<std::size_t> ListingFile::read(std::uint64_t offset, ByteSpan into) {
  const MutexLock lock(mutex_);
  std::size_t filled = 0;
  while (filled < into.size()) {
    HF_TRY(const bool there, turn_to(offset + filled));
    if (!there) break;
    filled += copy(page_, offset + filled - begin_, into.subspan(filled));
  }
  return filled;
}

}  // namespace holdfast::tree
