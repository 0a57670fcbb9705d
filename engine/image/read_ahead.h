// Unpacks compressed clusters before a sequential reader asks for them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "catalog/base/mutex.h"

namespace holdfast::image {

// Recognises sequential readers from the reads of one stack. Any thread may call.
class SequentialReads {
 public:
  struct Stretch {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  // Notes a read. Returns the stretch of the disk that should be unpacked now, if any; each stretch is
  // returned once.
  std::optional<Stretch> note(std::uint64_t offset, std::uint64_t length);
  // True if a sequential reader has reached `offset`, so unpacking it ahead would be useless.
  bool is_passed(std::uint64_t offset);

 private:
  struct Reader {
    std::uint64_t next = UINT64_MAX;  // where the reader would continue
    std::uint64_t unpacked = 0;       // the end of the stretches returned so far
    std::uint64_t last_seen = 0;      // a time of `clock_`
  };
  Mutex mutex_;
  std::array<Reader, 4> readers_ HF_GUARDED_BY(mutex_);
  std::uint64_t clock_ HF_GUARDED_BY(mutex_) = 0;
};

// Runs the task in one of the process's image readers: a few threads that start with the first task and end
// with the process. Returns false, and drops the task, if they are too busy.
bool run_ahead(std::function<void()> task);

}  // namespace holdfast::image
