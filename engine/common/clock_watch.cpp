#include "engine/common/clock_watch.h"

#include <algorithm>
#include <ctime>
#include <fstream>

namespace holdfast {
namespace {

constexpr std::chrono::minutes kTolerance{5};  // corrections of a clock that drifts
constexpr std::chrono::days kAway{30};         // the longest time off that needs no person's word
constexpr std::chrono::minutes kBetweenStores{10};

}  // namespace

Uptime host_uptime() {
  static const std::string boot = [] {
    std::string id;
    std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
    return id;
  }();
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return {boot, std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::seconds{now.tv_sec} +
                                                                      std::chrono::nanoseconds{now.tv_nsec})};
}

ClockWatch::ClockWatch(const Clock& clock, std::function<Uptime()> uptime)
    : clock_(clock), uptime_(std::move(uptime)) {
  accept();
}

ClockWatch::Look ClockWatch::look() const {
  Look look{.uptime = uptime_()};
  const Time now = clock_.now();
  const bool is_same_boot = look.uptime.boot == seen_.boot;
  const Time earliest = is_same_boot ? seen_.at + (look.uptime.at - seen_.uptime) : seen_.at;
  const Time latest = is_same_boot ? earliest : seen_.at + kAway;
  look.expected = std::clamp(now, earliest, latest);
  look.jump = now - look.expected;
  return look;
}

// A correction within the tolerance is followed, so that drift never adds up to a doubt.
bool ClockWatch::follow(const Look& look) {
  const std::chrono::milliseconds jump = std::chrono::abs(look.jump);
  const bool is_near = jump <= kTolerance;
  if (!is_near && !jumped_) jumped_ = look.uptime.at;
  if (!is_near && look.uptime.at - *jumped_ < jump) return false;
  seen_ = {look.expected + look.jump, look.uptime.boot, look.uptime.at};
  jumped_.reset();
  return true;
}

std::optional<std::string> ClockWatch::doubt() {
  const MutexLock lock(mutex_);
  const Look now = look();
  if (follow(now)) return std::nullopt;
  return fmt::format(
      "the clock says {} and is {} s {} what is plausible: nothing goes by age until it is right again, "
      "or that time has passed",
      iso_time(now.expected + now.jump),
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::abs(now.jump)).count(),
      now.jump.count() > 0 ? "ahead of" : "behind");
}

Time ClockWatch::proven() {
  const MutexLock lock(mutex_);
  const Look now = look();
  return follow(now) ? now.expected + now.jump : now.expected;
}

void ClockWatch::accept() {
  const MutexLock lock(mutex_);
  const Uptime uptime = uptime_();
  seen_ = {clock_.now(), uptime.boot, uptime.at};
  jumped_.reset();
  stored_.reset();
}

Result<> ClockWatch::recall(Catalog& catalog) {
  HF_TRY(const auto seen, catalog.read([](db::Connection& db) { return read_seen_clock(db); }));
  const MutexLock lock(mutex_);
  if (seen) seen_ = *seen;
  return {};
}

Result<> ClockWatch::remember(Catalog& catalog) {
  SeenClock seen;
  {
    const MutexLock lock(mutex_);
    const Look now = look();
    if (!follow(now) || (stored_ && now.uptime.at - *stored_ < kBetweenStores)) return {};
    stored_ = now.uptime.at;
    seen = seen_;
  }
  return catalog.write([&](db::Connection& db) { return write_seen_clock(db, seen); });
}

}  // namespace holdfast
