// events.jsonl: the event log as one growing text. Every event is one line that never changes, so the size
// is real, any part can be made again, and only one position in a few hundred lines is remembered.
//
// Any thread may call.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "catalog/base/bytes.h"
#include "engine/engine.h"

namespace holdfast::tree {

class EventText {
 public:
  explicit EventText(Engine& engine) : engine_(engine) {}

  struct Extent {
    std::uint64_t size = 0;
    Time changed_at{};
  };
  Result<Extent> extent();
  Result<std::size_t> read(std::uint64_t offset, ByteSpan into);

 private:
  // The line after event `after` begins at `offset`.
  struct Mark {
    Id after = 0;
    std::uint64_t offset = 0;
  };

  Result<> catch_up();
  Mark mark_before(std::uint64_t offset);

  Engine& engine_;
  std::mutex mutex_;  // guards what follows
  std::vector<Mark> marks_{Mark{}};
  int lines_since_mark_ = 0;
  Mark end_{};
  Time changed_at_{};
};

}  // namespace holdfast::tree
