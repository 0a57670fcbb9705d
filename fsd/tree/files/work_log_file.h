#pragma once

#include "engine/engine.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// The log of an execution or a job so far, one line an entry.
struct WorkLog {
  std::string text;
  std::optional<Time> last_line_at;
};
Result<WorkLog> work_log_of(Engine& engine, const ObjectId& subject, const Asker& reader);

// An open log of an execution or a job, which grows while it is open (rule 7). Each read renders the text
// anew, because a job has few lines.
class WorkLogFile final : public OpenFile {
 public:
  WorkLogFile(Engine& engine, const ObjectId& of, Asker reader)
      : engine_(engine), of_(of), reader_(std::move(reader)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;

 private:
  Engine& engine_;
  const ObjectId of_;
  const Asker reader_;
};

}  // namespace holdfast::tree
