// Unpacks compressed clusters before a sequential reader asks for them.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>

namespace holdfast::image {

// Sees from the reads of one stack who reads on from where he was. Any thread may call.
class SequentialReads {
 public:
  struct Stretch {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };
  // A read begins. What of the disk it is time to unpack, if any: each stretch is said once.
  std::optional<Stretch> note(std::uint64_t offset, std::uint64_t length);
  // Whoever would have read on here has begun to read it, or is beyond it.
  bool is_passed(std::uint64_t offset);

 private:
  struct Reader {
    std::uint64_t next = UINT64_MAX;  // where he would read on
    std::uint64_t unpacked = 0;       // so far it was said to be time
    std::uint64_t last_seen = 0;      // by `clock_`
  };
  std::mutex mutex_;
  std::array<Reader, 4> readers_;
  std::uint64_t clock_ = 0;
};

// Runs the task in one of the process's image readers, a few threads that start with the first task and end
// with the process. False when they are too busy: it is only advice.
bool run_ahead(std::function<void()> task);

}  // namespace holdfast::image
