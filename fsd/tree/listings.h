// Files that list all objects of a kind, for each reader those that he may read. They are made a page at a
// time, so memory does not grow with the number of objects.
//
// Any thread may call.
#pragma once

#include <cstdint>
#include <functional>

#include "catalog/base/clock.h"
#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"
#include "engine/engine.h"
#include "fsd/tree/files/open_file.h"
#include "fsd/tree/length.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

// The length of each listing for each reader, found by making the listing once. Kept until the next event.
class Listings {
 public:
  Listings(Engine& engine, const Clock& clock) : engine_(engine), clock_(clock) {}

  Result<Length> length(RowIndex row, NextPage next, const Asker& reader);

 private:
  struct Key {
    RowIndex row = 0;
    Asker reader;
    bool operator==(const Key&) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return key.row * 31 + key.reader.uid; }
  };
  struct Counted {
    Id newest_event = 0;
    std::size_t hash = 0;  // the text's
    Length length;
  };
  static constexpr std::size_t kKept = 32;

  Engine& engine_;
  const Clock& clock_;
  Mutex mutex_;
  Lru<Key, Counted, KeyHash> counted_ HF_GUARDED_BY(mutex_){kKept};
};

// An open listing with one page in memory. Lines are whole, and an object appears as it was when its page was
// made.
class ListingFile final : public OpenFile {
 public:
  // Called with each failed read, because the reader itself gets only the errno.
  using Failed = std::function<void(const Error& error)>;
  ListingFile(Engine& engine, NextPage next, Asker reader, Failed failed)
      : engine_(engine), next_(next), reader_(std::move(reader)), failed_(std::move(failed)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;

 private:
  // Turns to the page that has the offset; false: the listing ends before it.
  Result<bool> turn_to(std::uint64_t offset) HF_REQUIRES(mutex_);

  Engine& engine_;
  const NextPage next_;
  const Asker reader_;
  const Failed failed_;
  Mutex mutex_;
  std::uint64_t begin_ HF_GUARDED_BY(mutex_) = 0;  // the page's offset in the file
  std::string page_ HF_GUARDED_BY(mutex_);
  Id last_ HF_GUARDED_BY(mutex_) = 0;  // the page's last object
  bool ended_ HF_GUARDED_BY(mutex_) = false;
};

}  // namespace holdfast::tree
