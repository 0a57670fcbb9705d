#include "fsd/tree/event_text.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "fsd/views/views.h"

namespace holdfast::tree {
namespace {

constexpr int kBatch = 256;
// A read renders no more than this before the bytes that it returns.
constexpr std::uint64_t kBetweenMarks = 64 * kKiB;

// Tells whether the reader sees the event: the owner's events, and the reader's own.
bool is_shown(const Event& event, const Asker& reader) {
  if (reader.uid == 0) return true;
  if (event.by && event.by->uid == reader.uid) return true;
  return event.owner && may_see(reader, *event.owner);
}

}  // namespace

Result<std::vector<EventText::Part>> EventText::parts(std::string_view base) {
  HF_TRY(const auto begins, engine_.status().event_parts());
  std::vector<Part> all;
  for (const Id after : begins)
    all.push_back({after, all.empty() ? std::string{base} : fmt::format("{}.{}", base, all.size())});
  return all;
}

Result<Id> EventText::end_of(Id part) {
  HF_TRY(const auto begins, engine_.status().event_parts());
  const auto found = std::ranges::find(begins, part);
  if (found == begins.end()) return fail(ENOENT, "this part of the event log has gone");
  return found == begins.begin() ? std::numeric_limits<Id>::max() : *std::prev(found);
}

std::shared_ptr<EventText::Text> EventText::text_of(Id part, const Asker& reader) {
  const TextKey key{part, reader_of(reader)};
  const MutexLock lock(mutex_);
  if (const auto* known = texts_.find(key)) return *known;
  auto text = std::make_shared<Text>(part, key.reader);
  texts_.put(key, text);
  return text;
}

Result<> EventText::catch_up(Text& text, Id last) {
  const MutexLock lock(text.mutex);
  for (;;) {
    HF_TRY(const auto events, engine_.status().events_since(text.end.after, kBatch, text.reader));
    for (const Event& event : events) {
      if (event.id > last) return {};
      text.end.after = event.id;
      if (is_shown(event, text.reader)) {
        text.end.offset += views::event_line(event).size();
        text.changed_at = event.at;
      }
      const bool is_far = text.end.offset - text.marks.back().offset >= kBetweenMarks;
      if (++text.events_since_mark == kBatch || is_far) {
        text.marks.push_back(text.end);
        text.events_since_mark = 0;
      }
    }
    if (events.size() < kBatch) return {};
  }
}

Result<Length> EventText::length(Id part, const Asker& reader) {
  HF_TRY(const Id last, end_of(part));
  const auto text = text_of(part, reader);
  HF_CHECK(catch_up(*text, last));
  const MutexLock lock(text->mutex);
  return Length{text->end.offset, text->changed_at};
}

Result<std::size_t> EventText::read(Id part, const Asker& reader, std::uint64_t offset, ByteSpan into) {
  HF_TRY(const Id last, end_of(part));
  const auto text = text_of(part, reader);
  HF_CHECK(catch_up(*text, last));
  Mark at;
  {
    const MutexLock lock(text->mutex);
    at = *std::prev(std::ranges::upper_bound(text->marks, offset, {}, &Mark::offset));
  }
  std::size_t filled = 0;
  while (filled < into.size()) {
    HF_TRY(const auto events, engine_.status().events_since(at.after, kBatch, reader));
    for (const Event& event : events) {
      if (event.id > last) return filled;
      at.after = event.id;
      if (!is_shown(event, reader)) continue;
      const std::string line = views::event_line(event);
      const std::uint64_t wanted = offset + filled;
      if (wanted < at.offset + line.size() && filled < into.size()) {
        const std::string_view piece =
            std::string_view{line}.substr(wanted - at.offset, into.size() - filled);
        std::memcpy(into.data() + filled, piece.data(), piece.size());
        filled += piece.size();
      }
      at.offset += line.size();
    }
    if (events.size() < kBatch) break;
  }
  return filled;
}

}  // namespace holdfast::tree
