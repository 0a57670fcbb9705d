// State of all chance in a history. It lies in memory that the lives of a daemon share, so that a history
// goes on after a kill as if nothing but the daemon had ended.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace holdfast::simulation {

// Repeatable randomness without hidden state.
struct Dice {
  std::uint64_t state = 0;

  std::uint64_t next() {
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t end) { return next() % end; }
  std::uint64_t between(std::uint64_t first, std::uint64_t last) { return first + below(last - first + 1); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
};

struct Order {
  Dice threads, storage, story, names;
  std::int64_t now = 0;       // nanoseconds since the history began
  std::int64_t wall = 0;      // nanoseconds between 1970 and that beginning, as the daemon's clock has it
  std::uint64_t points = 0;   // instants at which the running thread could have been exchanged
  std::uint64_t pace = 1;     // the longest a thread runs, in points
  std::uint64_t kill_in = 0;  // points until the daemon is killed; 0: never
  bool power_fails = false;   // the kill is a power failure
  bool copies_at_publish = false;  // a copy of the catalog is made when the next point is published …
  bool has_copied = false;         // … and was made
  std::uint64_t trace = 0;         // a digest of all that happened
  bool prints = false;             // whether each event of the trace is printed
};

// Adds an event to the trace.
void note(Order& order, std::string_view what, std::string_view of, std::uint64_t which, std::uint64_t value);
inline void note(Order& order, std::string_view what, std::uint64_t which, std::uint64_t value) {
  note(order, what, "", which, value);
}

}  // namespace holdfast::simulation
