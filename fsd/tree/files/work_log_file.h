#pragma once

#include "engine/engine.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// All that an execution or a job has told so far, a line each.
Result<std::string> work_log_text(Engine& engine, const ObjectId& subject);

// Rule 7: grows while it is open. A few lines a job, so that they are made anew for each read.
class WorkLogFile final : public OpenFile {
 public:
  WorkLogFile(Engine& engine, const ObjectId& of) : engine_(engine), of_(of) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;

 private:
  Engine& engine_;
  const ObjectId of_;
};

}  // namespace holdfast::tree
