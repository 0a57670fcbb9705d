// The files that hold everything of a kind: made a page at a time, so that no memory grows with what exists,
// for each reader what he may read.
//
// Any thread may call.
#pragma once

#include <cstdint>
#include <list>

#include "catalog/base/clock.h"
#include "catalog/base/mutex.h"
#include "engine/engine.h"
#include "fsd/tree/files/open_file.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

// How large they are for whom, and when that changed. Found by making them once; kept as long as nothing has
// happened.
class Listings {
 public:
  Listings(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  struct Extent {
    std::uint64_t size = 0;
    Time changed_at{};
  };
  Result<Extent> extent(RowIndex row, NextPage next, const Asker& reader);

 private:
  struct Counted {
    RowIndex row = 0;
    Asker reader;
    Id newest_event = 0;
    std::size_t hash = 0;  // of the text
    Extent extent;
  };

  // The one of that row and reader; mutex_ is held.
  std::list<Counted>::iterator find(RowIndex row, const Asker& reader) HF_REQUIRES(mutex_);

  Engine& engine_;
  const Clock& clock_;
  Mutex mutex_;
  std::list<Counted> counted_ HF_GUARDED_BY(mutex_);  // the newest first, a few
};

// One that is read: a page is in memory. Lines are whole and each object is as it was when its page was made.
class ListingFile final : public OpenFile {
 public:
  ListingFile(Engine& engine, NextPage next, Asker reader)
      : engine_(engine), next_(next), reader_(std::move(reader)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;

 private:
  // To the page that has the offset; false: there is none.
  Result<bool> turn_to(std::uint64_t offset) HF_REQUIRES(mutex_);

  Engine& engine_;
  const NextPage next_;
  const Asker reader_;
  Mutex mutex_;
  std::uint64_t begin_ HF_GUARDED_BY(mutex_) = 0;  // of the page, in the file
  std::string page_ HF_GUARDED_BY(mutex_);
  Id last_ HF_GUARDED_BY(mutex_) = 0;  // the object that the page ends with
  bool ended_ HF_GUARDED_BY(mutex_) = false;
};

}  // namespace holdfast::tree
