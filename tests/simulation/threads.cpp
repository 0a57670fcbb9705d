#include "tests/simulation/threads.h"

#include <cxxabi.h>
#include <link.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <xxhash.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "tests/simulation/kernel.h"

namespace holdfast::simulation {

void note(Order& order, std::string_view what, std::string_view of, std::uint64_t which,
          std::uint64_t value) {
  for (const std::string_view text : {what, of})
    order.trace = XXH3_64bits_withSeed(text.data(), text.size(), order.trace);
  order.trace = Dice{order.trace ^ which}.next();
  order.trace = Dice{order.trace ^ value}.next();
  if (!order.prints) return;
  const std::string line = fmt::format("{} {}{}{} {} {}\n", order.now, what, of.empty() ? "" : " ", of, which,
                                       static_cast<std::int64_t>(value));
  kernel(SYS_write, STDOUT_FILENO, line.data(), line.size());
}

namespace threads {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kPoint = 500;  // a thread that never waits takes time all the same

// A thread of the engine: a stack of its own on the one thread that the kernel knows of, because the kernel
// takes longer to exchange threads than they run in between. A thread that has ended serves again.
struct Thread {
  std::uint64_t number = 0;
  bool ready = true;
  bool over = false;
  bool detached = false;
  const void* waits_for = nullptr;
  std::int64_t until = kNever;
  void* (*run)(void*) = nullptr;
  void* argument = nullptr;
  ucontext_t place{};
  std::vector<char> locals;           // values of the program's thread_local variables
  int error = 0;                      // value of errno
  std::array<char, 16> exceptions{};  // exceptions in flight, as the C++ library keeps them
};

Order* order = nullptr;
Ends* ends = nullptr;
std::vector<Thread*>* all = nullptr;      // threads that have not ended
std::vector<Thread*>* resting = nullptr;  // threads that may serve again
std::uint64_t numbers = 0;
std::uint64_t left = 0;  // points until another thread may go on
Thread* self = nullptr;

// The program's thread_local variables: where they lie, and how they begin.
struct Locals {
  char* at = nullptr;
  std::vector<char> fresh;
} locals;

void find_locals() {
  const auto look = [](dl_phdr_info* object, std::size_t, void*) {
    for (int i = 0; i < object->dlpi_phnum; ++i) {
      const auto& part = object->dlpi_phdr[i];
      if (part.p_type != PT_TLS) continue;
      locals.at = static_cast<char*>(object->dlpi_tls_data);
      locals.fresh.resize(part.p_memsz);
      std::memcpy(locals.fresh.data(), reinterpret_cast<const char*>(object->dlpi_addr + part.p_vaddr),
                  part.p_filesz);
    }
    return 1;  // the first object is the program
  };
  dl_iterate_phdr(look, nullptr);
}

void go_to(Thread& next) {
  Thread& mine = *self;
  mine.error = errno;
  std::memcpy(mine.exceptions.data(), abi::__cxa_get_globals(), mine.exceptions.size());
  std::memcpy(mine.locals.data(), locals.at, mine.locals.size());
  self = &next;
  std::memcpy(locals.at, next.locals.data(), next.locals.size());
  std::memcpy(abi::__cxa_get_globals(), next.exceptions.data(), next.exceptions.size());
  swapcontext(&mine.place, &next.place);
  errno = mine.error;
}

Thread& choose() {
  static std::vector<Thread*> able;
  for (;;) {
    able.clear();
    std::int64_t earliest = kNever;
    for (Thread* thread : *all) {
      if (thread->ready || thread->until <= order->now)
        able.push_back(thread);
      else
        earliest = std::min(earliest, thread->until);
    }
    if (!able.empty()) break;
    if (earliest == kNever) ends->stuck();
    order->now = earliest;
  }
  left = 1 + order->threads.below(order->pace);
  Thread& chosen = *able[order->threads.below(able.size())];
  if (&chosen != self) note(*order, "thread", chosen.number, 0);
  return chosen;
}

void pass_on() {
  Thread& next = choose();
  if (&next != self) go_to(next);
}

void serve() {
  for (;;) {
    Thread& mine = *self;
    mine.run(mine.argument);
    mine.over = true;
    std::erase(*all, &mine);
    if (mine.detached) resting->push_back(&mine);
    wake(&mine);
    go_to(choose());
  }
}

Thread* make_thread() {
  constexpr std::size_t kStack = 1 << 20, kGuard = 4096;
  auto* const thread = new Thread;
  thread->locals = locals.fresh;
  void* const stack = ::mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (stack == MAP_FAILED || ::mprotect(stack, kGuard, PROT_NONE) != 0) std::abort();
  getcontext(&thread->place);
  thread->place.uc_stack.ss_sp = stack;
  thread->place.uc_stack.ss_size = kStack;
  makecontext(&thread->place, serve, 0);
  return thread;
}

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

timespec time_of(std::int64_t nanoseconds) { return {nanoseconds / kSecond, nanoseconds % kSecond}; }

// The C library's own fields, which are zero in every new lock, hold the state.
int& holder(pthread_mutex_t* mutex) { return mutex->__data.__lock; }

bool take(pthread_mutex_t* mutex) {
  const int mine = self == nullptr ? 1 : static_cast<int>(self->number) + 1;
  const bool again = holder(mutex) == mine && (mutex->__data.__kind & 3) == PTHREAD_MUTEX_RECURSIVE;
  if (holder(mutex) != 0 && !again) return false;
  holder(mutex) = mine;
  ++mutex->__data.__count;
  return true;
}

void lock(pthread_mutex_t* mutex) {
  while (!take(mutex)) {
    if (self == nullptr) std::abort();
    wait(mutex);
  }
}

void unlock(pthread_mutex_t* mutex) {
  if (--mutex->__data.__count > 0) return;
  holder(mutex) = 0;
  if (self != nullptr) wake(mutex);
}

int wait_on(pthread_cond_t* condition, pthread_mutex_t* mutex, std::int64_t until) {
  if (self == nullptr) std::abort();
  unlock(mutex);
  const bool woken = wait(condition, until);
  lock(mutex);
  return woken ? 0 : ETIMEDOUT;
}

}  // namespace

void begin(Order& shared, Ends how) {
  order = &shared;
  ends = new Ends(std::move(how));
  find_locals();
  all = new std::vector<Thread*>{new Thread};
  resting = new std::vector<Thread*>;
  self = all->front();
  self->number = numbers++;
  self->locals = locals.fresh;
}

bool simulated() { return self != nullptr; }

std::int64_t now() { return order->now; }

void point() {
  if (self == nullptr) return;
  order->now += kPoint;
  ++order->points;
  if (order->kill_in > 0 && --order->kill_in == 0) ends->killed();
  if (left > 0 && --left > 0) return;
  pass_on();
}

bool wait(const void* what, std::int64_t until) {
  Thread& mine = *self;
  mine.ready = false;
  mine.waits_for = what;
  mine.until = until;
  pass_on();
  const bool woken = mine.ready;
  mine.ready = true;
  mine.waits_for = nullptr;
  mine.until = kNever;
  return woken;
}

void wake(const void* what) {
  for (Thread* thread : *all)
    if (thread->waits_for == what) thread->ready = true;
}

void sleep_for(std::int64_t nanoseconds) {
  static const char nothing = 0;
  wait(&nothing, order->now + nanoseconds);
}

namespace {

void wake_one(const void* what) {
  std::vector<Thread*> waiting;
  for (Thread* thread : *all)
    if (thread->waits_for == what && !thread->ready) waiting.push_back(thread);
  if (!waiting.empty()) waiting[order->threads.below(waiting.size())]->ready = true;
}

Thread& thread_of(pthread_t handle) { return *reinterpret_cast<Thread*>(handle); }

}  // namespace
}  // namespace threads
}  // namespace holdfast::simulation

using namespace holdfast::simulation;           // NOLINT: the definitions below are the C library's
using namespace holdfast::simulation::threads;  // NOLINT

extern "C" {

int pthread_create(pthread_t* handle, const pthread_attr_t*, void* (*function)(void*), void* argument) {
  if (self == nullptr) std::abort();
  if (resting->empty()) resting->push_back(make_thread());
  Thread& thread = *resting->back();
  resting->pop_back();
  thread.ready = true;
  thread.over = thread.detached = false;
  thread.number = numbers++;
  thread.run = function;
  thread.argument = argument;
  *handle = reinterpret_cast<pthread_t>(&thread);
  all->push_back(&thread);
  point();
  return 0;
}

int pthread_join(pthread_t handle, void**) {
  Thread& thread = thread_of(handle);
  while (!thread.over) wait(&thread);
  resting->push_back(&thread);
  return 0;
}

int pthread_detach(pthread_t handle) {
  Thread& thread = thread_of(handle);
  thread.detached = true;
  if (thread.over) resting->push_back(&thread);
  return 0;
}

int pthread_mutex_lock(pthread_mutex_t* mutex) {
  point();
  lock(mutex);
  return 0;
}

int pthread_mutex_trylock(pthread_mutex_t* mutex) { return take(mutex) ? 0 : EBUSY; }

int pthread_mutex_unlock(pthread_mutex_t* mutex) {
  unlock(mutex);
  return 0;
}

int pthread_rwlock_rdlock(pthread_rwlock_t* lock) {
  point();
  while (lock->__data.__writers != 0) wait(lock);
  ++lock->__data.__readers;
  return 0;
}

int pthread_rwlock_wrlock(pthread_rwlock_t* lock) {
  point();
  while (lock->__data.__writers != 0 || lock->__data.__readers != 0) wait(lock);
  lock->__data.__writers = 1;
  return 0;
}

int pthread_rwlock_unlock(pthread_rwlock_t* lock) {
  if (lock->__data.__writers != 0)
    lock->__data.__writers = 0;
  else
    --lock->__data.__readers;
  if (self != nullptr) wake(lock);
  return 0;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  return wait_on(condition, mutex, kNever);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  return wait_on(condition, mutex, nanoseconds(*until) - (clock == CLOCK_REALTIME ? order->wall : 0));
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until) {
  return pthread_cond_clockwait(condition, mutex, CLOCK_REALTIME, until);
}

int pthread_cond_signal(pthread_cond_t* condition) {
  if (self != nullptr) wake_one(condition);
  return 0;
}

int pthread_cond_broadcast(pthread_cond_t* condition) {
  if (self != nullptr) wake(condition);
  return 0;
}

int pthread_cond_destroy(pthread_cond_t*) { return 0; }

int pthread_once(pthread_once_t* once, void (*function)()) {
  constexpr int kBegun = 1, kDone = 2;  // the second is the C library's word, too
  while (*once == kBegun) wait(once);
  if (*once == kDone) return 0;
  *once = kBegun;
  function();
  *once = kDone;
  if (self != nullptr) wake(once);
  return 0;
}

// Objects that a function makes at its first call: another thread must not wait for them outside of the
// simulation.
int guard_acquire(char* guard) __asm__("__cxa_guard_acquire");
int guard_acquire(char* guard) {
  char& made = guard[0];
  char& being_made = guard[1];
  while (being_made != 0) {
    if (self == nullptr) std::abort();
    wait(guard);
  }
  if (made != 0) return 0;
  being_made = 1;
  return 1;
}

void guard_abort(char* guard) __asm__("__cxa_guard_abort");
void guard_abort(char* guard) {
  guard[1] = 0;
  if (self != nullptr) wake(guard);
}

void guard_release(char* guard) __asm__("__cxa_guard_release");
void guard_release(char* guard) {
  guard[0] = 1;
  guard_abort(guard);
}

int clock_gettime(clockid_t clock, timespec* into) {
  if (order == nullptr || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
    return static_cast<int>(kernel(SYS_clock_gettime, clock, into));
  const bool of_the_day = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  *into = time_of(order->now + (of_the_day ? order->wall : 0));
  return 0;
}

int gettimeofday(timeval* into, void*) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  *into = {now.tv_sec, now.tv_nsec / 1000};
  return 0;
}

time_t time(time_t* into) {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  if (into != nullptr) *into = now.tv_sec;
  return now.tv_sec;
}

int nanosleep(const timespec* how_long, timespec*) {
  if (self == nullptr) return static_cast<int>(kernel(SYS_nanosleep, how_long, nullptr));
  sleep_for(nanoseconds(*how_long));
  return 0;
}

int usleep(useconds_t microseconds) {
  const timespec how_long = time_of(microseconds * std::int64_t{1000});
  return nanosleep(&how_long, nullptr);
}

unsigned sleep(unsigned seconds) {
  const timespec how_long{seconds, 0};
  nanosleep(&how_long, nullptr);
  return 0;
}

ssize_t getrandom(void* into, size_t length, unsigned flags) {
  if (order == nullptr) return kernel(SYS_getrandom, into, length, flags);
  for (std::size_t i = 0; i < length; ++i)
    static_cast<unsigned char*>(into)[i] = static_cast<unsigned char>(order->names.next());
  return static_cast<ssize_t>(length);
}

pid_t getpid() { return 1; }

int gethostname(char* into, size_t length) {
  std::snprintf(into, length, "simulation");
  return 0;
}

// std::random_device, std::thread::hardware_concurrency
unsigned random_value(void*) __asm__("_ZNSt13random_device9_M_getvalEv");
unsigned random_value(void*) {
  unsigned value = 0;
  getrandom(&value, sizeof value, 0);
  return value;
}
unsigned processors() __asm__("_ZNSt6thread20hardware_concurrencyEv");
unsigned processors() { return 2; }

}  // extern "C"
