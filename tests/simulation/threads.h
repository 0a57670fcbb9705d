// Threads, locks and time of the simulation. Definitions of pthread_create(), pthread_mutex_lock(),
// clock_gettime() and their like take the place of the C library's, for the engine, SQLite and the C++
// library alike. One thread runs at a time. Which one goes on is decided by the seed, whenever a thread takes
// a lock, waits, or uses a file. When all wait, the clock jumps to the earliest deadline.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>

#include "tests/simulation/order.h"

namespace holdfast::simulation::threads {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

// Functions that end the life of the daemon. The running thread calls them; neither returns.
struct Ends {
  std::function<void()> killed;
  std::function<void()> stuck;  // every thread waits, and none of them for a time
};

// Makes the calling thread the first of the simulation.
void begin(Order& order, Ends ends);
bool simulated();
std::int64_t now();

// An instant at which another thread may go on.
void point();
// Waits until wake(what), or until that time; returns false if the time has come.
bool wait(const void* what, std::int64_t until = kNever);
void wake(const void* what);
void sleep_for(std::int64_t nanoseconds);

}  // namespace holdfast::simulation::threads
