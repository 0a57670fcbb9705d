#pragma once

#include "fsd/tree/event_text.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// An open part of the event log, which grows while it is open (rule 7). It stays with its part when the
// part's name changes.
class LogFile final : public OpenFile {
 public:
  LogFile(EventText& events, Id part, Asker reader)
      : events_(events), part_(part), reader_(std::move(reader)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override {
    return events_.read(part_, reader_, offset, into);
  }

 private:
  EventText& events_;
  const Id part_;
  const Asker reader_;
};

}  // namespace holdfast::tree
