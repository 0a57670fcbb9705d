#pragma once

#include <functional>
#include <memory>

#include "fsd/tree/files/open_file.h"
#include "fsd/tree/scratch.h"

namespace holdfast::tree {

// A handle on a scratch file. It stays usable after the file was deleted.
class ScratchFile final : public OpenFile {
 public:
  // Called with each refusal.
  using Refused = std::function<void(const Error&)>;
  ScratchFile(std::shared_ptr<Scratch> file, Refused refused)
      : file_(std::move(file)), refused_(std::move(refused)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override { return file_->read(offset, into); }
  Result<> write(std::uint64_t offset, std::string_view bytes, bool append) override {
    return told(file_->write(offset, bytes, append));
  }
  Result<> truncate(std::uint64_t size) override { return told(file_->truncate(size)); }

 private:
  Result<> told(Result<> done) const {
    if (!done) refused_(done.error());
    return done;
  }

  const std::shared_ptr<Scratch> file_;
  const Refused refused_;
};

}  // namespace holdfast::tree
