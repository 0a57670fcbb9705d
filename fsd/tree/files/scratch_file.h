#pragma once

#include <memory>

#include "fsd/tree/files/open_file.h"
#include "fsd/tree/scratch.h"

namespace holdfast::tree {

// A handle on a scratch file; it goes on when the file has been deleted.
class ScratchFile final : public OpenFile {
 public:
  explicit ScratchFile(std::shared_ptr<Scratch> file) : file_(std::move(file)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override { return file_->read(offset, into); }
  Result<> write(std::uint64_t offset, std::string_view bytes, bool append) override {
    return file_->write(offset, bytes, append);
  }
  Result<> truncate(std::uint64_t size) override { return file_->truncate(size); }

 private:
  const std::shared_ptr<Scratch> file_;
};

}  // namespace holdfast::tree
