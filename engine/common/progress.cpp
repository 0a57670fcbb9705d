#include "engine/common/progress.h"

namespace holdfast {

Progress ProgressMeter::snapshot(Steady::time_point now) {
  using namespace std::chrono_literals;
  const MutexLock lock(mutex_);
  if (taken_.revision != 0 && now - taken_at_ < 1s) return taken_;
  const std::chrono::duration<double> elapsed = now - begun_;
  taken_at_ = now;
  const Progress before = taken_;
  taken_.done = done_;
  taken_.total = total_;
  taken_.rate = elapsed.count() > 0
                    ? static_cast<std::uint64_t>(static_cast<double>(taken_.done) / elapsed.count())
                    : 0;
  taken_.seconds_left.reset();
  if (taken_.rate > 0 && taken_.total >= taken_.done)
    taken_.seconds_left = static_cast<std::int64_t>((taken_.total - taken_.done) / taken_.rate);
  if (taken_ != before || before.revision == 0) taken_.revision = new_id();
  return taken_;
}

}  // namespace holdfast
