#include "fsd/tree/event_text.h"

#include <algorithm>
#include <cstring>

#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

constexpr int kBatch = 256;

}  // namespace

Result<EventText::Extent> EventText::extent() {
  HF_CHECK(catch_up());
  const std::lock_guard lock(mutex_);
  return Extent{end_.offset, changed_at_};
}

Result<> EventText::catch_up() {
  const std::lock_guard lock(mutex_);
  for (;;) {
    HF_TRY(const auto events, engine_.events_since(end_.after, kBatch));
    for (const Event& event : events) {
      end_.after = event.id;
      end_.offset += views::event_line(event).size();
      changed_at_ = event.at;
      if (++lines_since_mark_ == kBatch) {
        marks_.push_back(end_);
        lines_since_mark_ = 0;
      }
    }
    if (events.size() < kBatch) return {};
  }
}

EventText::Mark EventText::mark_before(std::uint64_t offset) {
  const std::lock_guard lock(mutex_);
  return *std::prev(std::ranges::upper_bound(marks_, offset, {}, &Mark::offset));
}

Result<std::size_t> EventText::read(std::uint64_t offset, ByteSpan into) {
  HF_CHECK(catch_up());
  Mark at = mark_before(offset);
  std::size_t filled = 0;
  while (filled < into.size()) {
    HF_TRY(const auto events, engine_.events_since(at.after, kBatch));
    for (const Event& event : events) {
      const std::string line = views::event_line(event);
      const std::uint64_t wanted = offset + filled;
      if (wanted < at.offset + line.size() && filled < into.size()) {
        const std::string_view part = std::string_view{line}.substr(wanted - at.offset, into.size() - filled);
        std::memcpy(into.data() + filled, part.data(), part.size());
        filled += part.size();
      }
      at = {event.id, at.offset + line.size()};
    }
    if (events.size() < kBatch) break;
  }
  return filled;
}

}  // namespace holdfast::tree
