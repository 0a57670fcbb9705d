// Tells whether the host's clock is plausible, because a deletion that depends on time alone must not follow
// from a wrong clock (law 21).
//
// The clock is compared with the time since the host's start, which runs on whatever the clock is set to. The
// catalog stores both, as they were when the clock was last plausible. After another start of the host only
// bounds are known: the clock must not be behind, nor more than thirty days ahead.
//
//   plausible ──it jumps──► in doubt ──it is back, as much time has passed, or a person says so──► plausible
//
// A clock that jumped by an hour, rightly or not, is believed once an hour has passed: what its jump made old
// is so old by then.
//
// Any thread may call.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "catalog/base/clock.h"
#include "catalog/base/mutex.h"
#include "catalog/catalog.h"
#include "catalog/stores/seen_clock.h"

namespace holdfast {

// The time since the host's start, suspension included.
struct Uptime {
  std::string boot;
  std::chrono::milliseconds at{0};
};
Uptime host_uptime();

class ClockWatch {
 public:
  explicit ClockWatch(const Clock& clock, std::function<Uptime()> uptime = host_uptime);

  // Says why the clock is in doubt; nullopt if it is plausible. Asks neither catalog nor disk.
  std::optional<std::string> doubt();
  // The clock's time, or while it is in doubt the time that it should show.
  Time proven();
  // Believes the clock as it is now.
  void accept();

  // Takes over what an earlier life of the daemon has seen. Call once, at the start.
  Result<> recall(Catalog& catalog);
  // Stores the clock if it is plausible, at most every ten minutes.
  Result<> remember(Catalog& catalog);

 private:
  struct Look {
    std::chrono::milliseconds jump{0};  // how far the clock is from where it may be
    Time expected{};
    Uptime uptime;
  };
  Look look() const HF_REQUIRES(mutex_);
  // Whether the clock is plausible; if so, the next look begins from this one.
  bool follow(const Look& look) HF_REQUIRES(mutex_);

  const Clock& clock_;
  const std::function<Uptime()> uptime_;
  Mutex mutex_;
  SeenClock seen_ HF_GUARDED_BY(mutex_);                                   // when it was last plausible
  std::optional<std::chrono::milliseconds> jumped_ HF_GUARDED_BY(mutex_);  // uptime of the first doubt
  std::optional<std::chrono::milliseconds> stored_ HF_GUARDED_BY(mutex_);  // uptime of the last remember()
};

}  // namespace holdfast
