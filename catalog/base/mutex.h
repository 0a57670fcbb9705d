// Mutexes whose use clang checks: HF_GUARDED_BY names the mutex of a member, HF_REQUIRES the mutex that a
// function's caller holds. tests/house/test_locks.py compiles with -Wthread-safety; other compilers ignore
// these words.
//
//   const MutexLock lock(mutex_);
//   while (tasks_.empty()) posted_.wait(mutex_);
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#ifdef __clang__
#define HF_ATTRIBUTE(attribute) __attribute__((attribute))
#else
#define HF_ATTRIBUTE(attribute)
#endif

// On data: read and written only with the mutex held.
#define HF_GUARDED_BY(mutex) HF_ATTRIBUTE(guarded_by(mutex))
// On functions: the caller holds the mutex, or must not hold it.
#define HF_REQUIRES(mutex) HF_ATTRIBUTE(requires_capability(mutex))
#define HF_EXCLUDES(mutex) HF_ATTRIBUTE(locks_excluded(mutex))
// On functions: they return with the mutex held, or released. A lock's destructor names no mutex.
#define HF_ACQUIRE(...) HF_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define HF_ACQUIRE_SHARED(...) HF_ATTRIBUTE(acquire_shared_capability(__VA_ARGS__))
#define HF_RELEASE(...) HF_ATTRIBUTE(release_capability(__VA_ARGS__))
// On functions: unchecked. Each use says why in one line.
#define HF_NO_THREAD_SAFETY_ANALYSIS HF_ATTRIBUTE(no_thread_safety_analysis)

namespace holdfast {

class HF_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  void lock() HF_ACQUIRE() { mutex_.lock(); }
  void unlock() HF_RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

// Holds the mutex for its own life.
class HF_ATTRIBUTE(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) HF_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() HF_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Releases a held mutex for its own life.
class HF_ATTRIBUTE(scoped_lockable) MutexUnlock {
 public:
  explicit MutexUnlock(Mutex& mutex) HF_RELEASE(mutex) : mutex_(mutex) { mutex_.unlock(); }
  ~MutexUnlock() HF_RELEASE() { mutex_.lock(); }
  MutexUnlock(const MutexUnlock&) = delete;
  MutexUnlock& operator=(const MutexUnlock&) = delete;

 private:
  Mutex& mutex_;
};

// Each wait releases the mutex, sleeps and holds it again. A wait may end early, so that callers check their
// condition in a loop.
class CondVar {
 public:
  using Steady = std::chrono::steady_clock;

  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

  void wait(Mutex& mutex) HF_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // Returns false when the time has come.
  bool wait_until(Mutex& mutex, Steady::time_point time) HF_REQUIRES(mutex) {
    std::unique_lock lock(mutex.mutex_, std::adopt_lock);
    const bool is_early = condition_.wait_until(lock, time) == std::cv_status::no_timeout;
    lock.release();
    return is_early;
  }

 private:
  std::condition_variable condition_;
};

class HF_ATTRIBUTE(capability("shared mutex")) SharedMutex {
 public:
  void lock() HF_ACQUIRE() { mutex_.lock(); }
  void unlock() HF_RELEASE() { mutex_.unlock(); }
  void lock_shared() HF_ACQUIRE_SHARED() { mutex_.lock_shared(); }
  void unlock_shared() HF_ATTRIBUTE(release_shared_capability()) { mutex_.unlock_shared(); }

 private:
  std::shared_mutex mutex_;
};

// Holds the mutex for its own life, together with other SharedLocks.
class HF_ATTRIBUTE(scoped_lockable) SharedLock {
 public:
  explicit SharedLock(SharedMutex& mutex) HF_ACQUIRE_SHARED(mutex) : mutex_(mutex) { mutex_.lock_shared(); }
  ~SharedLock() HF_ATTRIBUTE(release_generic_capability()) { mutex_.unlock_shared(); }
  SharedLock(const SharedLock&) = delete;
  SharedLock& operator=(const SharedLock&) = delete;

 private:
  SharedMutex& mutex_;
};

// Holds the mutex for its own life, alone.
class HF_ATTRIBUTE(scoped_lockable) ExclusiveLock {
 public:
  explicit ExclusiveLock(SharedMutex& mutex) HF_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~ExclusiveLock() HF_RELEASE() { mutex_.unlock(); }
  ExclusiveLock(const ExclusiveLock&) = delete;
  ExclusiveLock& operator=(const ExclusiveLock&) = delete;

 private:
  SharedMutex& mutex_;
};

}  // namespace holdfast
