// events.jsonl and the older parts beside it: the event log as growing texts, one for each part and reader,
// because each reader sees only his events (law 19).
//
// An event's line and its readers never change. So the size is real, any piece can be rendered again, and
// only one position in a few hundred events, or in so many bytes, is kept.
//
// Any thread may call.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/lru.h"
#include "catalog/base/mutex.h"
#include "engine/engine.h"
#include "fsd/tree/asker.h"
#include "fsd/tree/length.h"

namespace holdfast::tree {

class EventText {
 public:
  explicit EventText(Engine& engine) : engine_(engine) {}

  // A part of the log. The event before its first one identifies it, while its name changes: the newest part
  // is called `base`, older ones base.1, base.2 …
  struct Part {
    Id after = 0;
    std::string name;
  };
  Result<std::vector<Part>> parts(std::string_view base);

  Result<Length> length(Id part, const Asker& reader);
  Result<std::size_t> read(Id part, const Asker& reader, std::uint64_t offset, ByteSpan into);

 private:
  // The line after event `after` begins at `offset`.
  struct Mark {
    Id after = 0;
    std::uint64_t offset = 0;
  };
  // A part as one reader sees it.
  struct Text {
    Text(Id part, Asker who) : reader(std::move(who)), marks{{.after = part}}, end{.after = part} {}

    const Asker reader;
    Mutex mutex;
    std::vector<Mark> marks HF_GUARDED_BY(mutex);
    int events_since_mark HF_GUARDED_BY(mutex) = 0;
    Mark end HF_GUARDED_BY(mutex);
    Time changed_at HF_GUARDED_BY(mutex){};
  };

  struct TextKey {
    Id part = 0;
    Asker reader;
    bool operator==(const TextKey&) const = default;
  };
  struct TextKeyHash {
    std::size_t operator()(const TextKey& key) const { return std::hash<Id>{}(key.part) + key.reader.uid; }
  };
  static constexpr std::size_t kMostTexts = 64;

  std::shared_ptr<Text> text_of(Id part, const Asker& reader);
  // The last event of the part. ENOENT: the part is gone.
  Result<Id> end_of(Id part);
  Result<> catch_up(Text& text, Id last);

  Engine& engine_;
  Mutex mutex_;
  Lru<TextKey, std::shared_ptr<Text>, TextKeyHash> texts_ HF_GUARDED_BY(mutex_){kMostTexts};
};

}  // namespace holdfast::tree
