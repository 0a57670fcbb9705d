#include "engine/reading/image_events.h"

#include <utility>

#include "catalog/base/log.h"
#include "catalog/stores/events.h"
#include "engine/common/audit.h"
#include "engine/objects/kinds.h"

namespace holdfast {
namespace {

constexpr std::chrono::seconds kBetweenTries{1};

}  // namespace

ImageEvents::ImageEvents(const capture::Services& services)
    : services_(services), thread_([this] { work(); }) {}

ImageEvents::~ImageEvents() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ImageEvents::tell(Id point_disk, std::string_view word, EventResult result, const std::string& reason,
                       const Caller& caller) {
  auto event = services_.catalog.read([&](db::Connection& db) -> Result<Event> {
    HF_TRY(std::string path, path_of(db, ObjectKind::point_disk, point_disk));
    Event made = make_event(services_.clock.now(), word, std::move(path), caller);
    made.result = result;
    made.reason = reason;
    // The object may have another owner by the time of the recording.
    HF_TRY(made.owner, Events(db).owner_of(made.object));
    return made;
  });
  if (!event) return log::error("{}: {}; that can't be recorded: {}", word, reason, event.error().message);

  {
    const MutexLock lock(mutex_);
    waiting_.push_back(*std::move(event));
    if (waiting_.size() > kMostWaiting) {
      waiting_.pop_front();
      ++dropped_;
    }
  }
  changed_.notify_all();
}

void ImageEvents::work() {
  const MutexLock lock(mutex_);
  for (;;) {
    while (waiting_.empty() && !stopping_) changed_.wait(mutex_);
    if (waiting_.empty()) return;
    const auto recorded = record_waiting();
    if (recorded) continue;
    if (stopping_) {
      log::error("{} events about images are lost: {}", waiting_.size() + dropped_, recorded.error().message);
      return;
    }
    log::warning("events about images wait for the catalog: {}", recorded.error().message);
    const auto next = CondVar::Steady::now() + kBetweenTries;
    while (!stopping_)
      if (!changed_.wait_until(mutex_, next)) break;
  }
}

Result<> ImageEvents::record_waiting() {
  std::deque<Event> events = std::exchange(waiting_, {});
  const std::uint64_t dropped = std::exchange(dropped_, 0);
  Result<> recorded;
  {
    const MutexUnlock unlocked(mutex_);
    recorded = services_.catalog.write([&](db::Connection& db) -> Result<> {
      if (dropped > 0) {
        Event untold = make_event(services_.clock.now(), "image.untold", "events.jsonl", {});
        untold.result = EventResult::failed;
        untold.reason = fmt::format(
            "{} older events about images were dropped while the catalog could not store them", dropped);
        HF_CHECK(record(db, untold));
      }
      for (const Event& event : events) HF_CHECK(record(db, event));
      return {};
    });
  }
  if (recorded) return {};
  events.insert(events.end(), waiting_.begin(), waiting_.end());
  waiting_ = std::move(events);
  dropped_ += dropped;
  for (; waiting_.size() > kMostWaiting; ++dropped_) waiting_.pop_front();
  return recorded;
}

}  // namespace holdfast
