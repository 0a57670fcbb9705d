// The files that hold everything of a kind: made a page at a time, so that no memory grows with what exists,
// for each reader what he may read.
//
// Any thread may call.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>

#include "catalog/base/clock.h"
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
  std::list<Counted>::iterator find(RowIndex row, const Asker& reader);

  Engine& engine_;
  const Clock& clock_;
  std::mutex mutex_;            // guards what follows
  std::list<Counted> counted_;  // the newest first, a few
};

// One that is read: a page is in memory. Lines are whole and each object is as it was when its page was made.
class ListingFile final : public OpenFile {
 public:
  ListingFile(Engine& engine, NextPage next, Asker reader)
      : engine_(engine), next_(next), reader_(std::move(reader)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;

 private:
  // To the page that has the offset; false: there is none.
  Result<bool> turn_to(std::uint64_t offset);

  Engine& engine_;
  const NextPage next_;
  const Asker reader_;
  std::mutex mutex_;         // guards what follows
  std::uint64_t begin_ = 0;  // of the page, in the file
  std::string page_;
  Id last_ = 0;  // the object that the page ends with
  bool ended_ = false;
};

}  // namespace holdfast::tree
