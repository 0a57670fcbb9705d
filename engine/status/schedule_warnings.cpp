#include "engine/status/schedule_warnings.h"

#include "engine/schedule/timetable.h"

namespace holdfast {
namespace {

std::vector<Warning> warnings_of(const Schedule& schedule, Time now) {
  const std::string path = "schedules/" + schedule.name;
  const auto table = schedule::Timetable::of(schedule.definition);
  if (!table)
    return {{.object = path,
             .reason = "starts_nothing",
             .message = "it starts nothing: " + table.error().message,
             .fix = fmt::format("correct {}/config.json", path)}};
  std::vector<Warning> warnings;
  for (const std::size_t i : table->idle_blackouts(now))
    warnings.push_back({.object = path,
                        .reason = "idle_blackout",
                        .message = fmt::format("its blackout '{}' never covers one of its times",
                                               schedule.definition.blackout[i]),
                        .fix = fmt::format("correct the window in {}/config.json, or remove it", path)});
  return warnings;
}

}  // namespace

std::vector<Warning> ScheduleWarnings::of(const Schedule& schedule, Time now) {
  {
    const MutexLock lock(mutex_);
    const auto known = known_.find(schedule.id);
    if (known != known_.end() && known->second.revision == schedule.revision) return known->second.warnings;
  }
  auto warnings = warnings_of(schedule, now);
  const MutexLock lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();  // removed schedules among them
  known_[schedule.id] = {schedule.revision, warnings};
  return warnings;
}

}  // namespace holdfast
