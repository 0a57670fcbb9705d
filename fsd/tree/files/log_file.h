#pragma once

#include "fsd/tree/event_text.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// Rule 7: grows while it is open.
class LogFile final : public OpenFile {
 public:
  explicit LogFile(EventText& events) : events_(events) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override {
    return events_.read(offset, into);
  }

 private:
  EventText& events_;
};

}  // namespace holdfast::tree
