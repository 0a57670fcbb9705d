#pragma once

#include "engine/engine.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// A wait file: reading returns the final status of a run once it has one (rule 6). A flow's wait file stays
// with the execution that was the latest at open.
class WaitFile final : public OpenFile {
 public:
  WaitFile(Engine& engine, const ObjectId& subject) : engine_(engine), subject_(subject) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;
  ObjectId subject() const override { return subject_; }

 private:
  Result<RunStatus> status() const;

  Engine& engine_;
  const ObjectId subject_;
};

}  // namespace holdfast::tree
