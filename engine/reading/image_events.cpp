#include "engine/reading/image_events.h"

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

  const MutexLock lock(mutex_);
  const bool others_wait = !waiting_.empty();
  waiting_.push_back(*std::move(event));
  if (waiting_.size() > kMostWaiting) {
    waiting_.pop_front();
    ++dropped_;
  }
  if (others_wait) return;  // the thread tries again
  const auto recorded = record_waiting();
  if (recorded) return;
  log::warning("events about images wait for the catalog: {}", recorded.error().message);
  changed_.notify_all();
}

void ImageEvents::work() {
  const MutexLock lock(mutex_);
  for (;;) {
    while (waiting_.empty() && !stopping_) changed_.wait(mutex_);
    if (waiting_.empty()) return;
    const auto next = CondVar::Steady::now() + kBetweenTries;
    while (!stopping_)
      if (!changed_.wait_until(mutex_, next)) break;
    const auto recorded = record_waiting();
    if (!stopping_) continue;
    if (!recorded)
      log::error("{} events about images are lost: {}", waiting_.size() + dropped_, recorded.error().message);
    return;
  }
}

Result<> ImageEvents::record_waiting() {
  const std::deque<Event> events = waiting_;
  const std::uint64_t dropped = dropped_;
  HF_CHECK(services_.catalog.write([&](db::Connection& db) -> Result<> {
    if (dropped > 0) {
      Event untold = make_event(services_.clock.now(), "image.untold", "events.jsonl", {});
      untold.result = EventResult::failed;
      untold.reason = fmt::format(
          "{} older events about images were dropped while the catalog could not store them", dropped);
      HF_CHECK(record(db, untold));
    }
    for (const Event& event : events) HF_CHECK(record(db, event));
    return {};
  }));
  waiting_.clear();
  dropped_ = 0;
  return {};
}

}  // namespace holdfast
