// MemoryEngine: its event log.
#include "tests/fsd/memory_engine.h"

namespace holdfast::test {

void MemoryEngine::make_events(int count) {
  const std::lock_guard lock(mutex_);
  for (int i = 0; i < count; ++i) record("test.event", fmt::format("things/{}", i), {});
}

Result<std::vector<Event>> MemoryEngine::events_since(Id after, int at_most) {
  const std::lock_guard lock(mutex_);
  std::vector<Event> some;
  for (const Event& event : events_)
    if (event.id > after && some.size() < static_cast<std::size_t>(at_most)) some.push_back(event);
  return some;
}

Result<std::vector<Id>> MemoryEngine::event_parts() {
  const std::lock_guard lock(mutex_);
  return std::vector<Id>(event_cuts_.rbegin(), event_cuts_.rend());
}

void MemoryEngine::cut_events() {
  const std::lock_guard lock(mutex_);
  event_cuts_.push_back(events_.back().id);
}

void MemoryEngine::refused(std::string_view event, std::string object, const Error& why,
                           const Caller& caller) {
  const std::lock_guard lock(mutex_);
  record(std::string{event}, std::move(object), caller);
  events_.back().result = EventResult::refused;
  events_.back().reason = why.message;
}

Result<> MemoryEngine::resume(const Caller& caller) {
  const std::lock_guard lock(mutex_);
  if (!draining_) return fail(EINVAL, "the daemon takes work; there is nothing to resume");
  draining_ = false;
  record("daemon.resume", "control", caller);
  return {};
}

}  // namespace holdfast::test
