// events.jsonl and the older parts beside it: the event log as growing texts, one for each part and reader,
// since each is shown only what concerns him (law 19). Every event is one line that never changes, and so is
// who may see it; so the size is real, any piece can be made again, and only one position in a few hundred
// events is remembered.
//
// Any thread may call.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/mutex.h"
#include "engine/engine.h"
#include "fsd/tree/asker.h"

namespace holdfast::tree {

class EventText {
 public:
  explicit EventText(Engine& engine) : engine_(engine) {}

  // A part is known by the event after which it begins, and keeps that while its name moves on: the newest
  // is called `base`, the older ones base.1, base.2 …
  struct Part {
    Id after = 0;
    std::string name;
  };
  Result<std::vector<Part>> parts(std::string_view base);

  struct Extent {
    std::uint64_t size = 0;
    Time changed_at{};
  };
  Result<Extent> extent(Id part, const Asker& reader);
  Result<std::size_t> read(Id part, const Asker& reader, std::uint64_t offset, ByteSpan into);

 private:
  // The line after event `after` begins at `offset`.
  struct Mark {
    Id after = 0;
    std::uint64_t offset = 0;
  };
  // One part, as one reader sees it.
  struct Text {
    Text(Id begin, Asker who)
        : part(begin), reader(std::move(who)), marks{{.after = begin}}, end{.after = begin} {}

    const Id part;
    const Asker reader;
    Mutex mutex;
    std::vector<Mark> marks HF_GUARDED_BY(mutex);
    int events_since_mark HF_GUARDED_BY(mutex) = 0;
    Mark end HF_GUARDED_BY(mutex);
    Time changed_at HF_GUARDED_BY(mutex){};
  };

  std::shared_ptr<Text> text_of(Id part, const Asker& reader);
  // Up to which event the part goes. ENOENT: it has gone.
  Result<Id> end_of(Id part);
  Result<> catch_up(Text& text, Id last);

  Engine& engine_;
  Mutex mutex_;
  std::list<std::shared_ptr<Text>> texts_ HF_GUARDED_BY(mutex_);  // the most recently used first
};

}  // namespace holdfast::tree
