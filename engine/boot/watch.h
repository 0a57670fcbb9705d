// Watches a guest until it has booted, or will not.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "catalog/model/boot_expect.h"
#include "engine/boot/guest.h"
#include "engine/common/progress.h"
#include "engine/sources/driver.h"

namespace holdfast::boot {

// Used once, by one thread. The constructor's references must outlive the object.
class Watch {
 public:
  Watch(Guest& guest, const BootExpect& expect, std::chrono::seconds timeout, ProgressMeter& progress,
        const source::Cancel& cancel)
      : guest_(guest),
        expect_(expect),
        timeout_(timeout),
        deadline_(source::Deadline::in(timeout)),
        progress_(progress),
        cancel_(cancel) {}

  // Returns why the guest does not boot: one sentence; "" if it does. An error says nothing of the guest.
  Result<std::string> outcome();

 private:
  using Steady = std::chrono::steady_clock;
  enum class Seen { nothing, firmware, change, still };

  Result<bool> is_up();
  Result<> look_at_screen();
  bool has_line() const;
  std::string what_is_missing() const;

  Guest& guest_;
  const BootExpect& expect_;
  const std::chrono::seconds timeout_;
  const source::Deadline deadline_;
  ProgressMeter& progress_;
  const source::Cancel& cancel_;
  Steady::time_point next_look_ = Steady::now(), next_ping_ = next_look_;
  std::optional<std::string> trouble_;  // on the screen
  Seen seen_ = Seen::nothing;
  std::optional<Picture> picture_;  // the screen since still_since_
  Steady::time_point still_since_{};
};

}  // namespace holdfast::boot
