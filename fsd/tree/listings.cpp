#include "fsd/tree/listings.h"

namespace holdfast::tree {

Result<Length> Listings::length(RowIndex row, NextPage next, const Asker& reader) {
  const Key key{row, reader_of(reader)};
  HF_TRY(const Id newest, engine_.status().newest_event());
  {
    const MutexLock lock(mutex_);
    if (const Counted* known = counted_.find(key); known != nullptr && known->newest_event == newest)
      return known->length;
  }
  Counted now{newest, 0, {0, clock_.now()}};
  for (Id after = 0;;) {
    HF_TRY(const Page page, next(engine_, after, reader));
    if (page.last == 0) break;
    now.length.bytes += page.text.size();
    now.hash = now.hash * 31 + std::hash<std::string>{}(page.text);
    after = page.last;
  }
  const MutexLock lock(mutex_);
  // An event that did not change the text does not change its time either.
  if (const Counted* before = counted_.find(key);
      before != nullptr && before->hash == now.hash && before->length.bytes == now.length.bytes)
    now.length = before->length;
  counted_.put(key, now);
  return now.length;
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
    HF_CHECK(keep(next.text.size()));
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
    const auto there = turn_to(offset + filled);
    if (!there) {
      failed_(there.error());
      return tl::make_unexpected(there.error());
    }
    if (!*there) break;
    filled += copy(page_, offset + filled - begin_, into.subspan(filled));
  }
  return filled;
}

}  // namespace holdfast::tree
