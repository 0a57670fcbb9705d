// A file whose reads fail beyond an offset, as on a device with a bad place.
#pragma once

#include <memory>
#include <string>

#include "catalog/base/disk.h"

namespace holdfast::test {

class UnreadableFile final : public File {
 public:
  UnreadableFile(std::unique_ptr<File> file, std::uint64_t from, int code)
      : file_(std::move(file)), from_(from), code_(code) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    if (offset + into.size() <= from_) return file_->read_at(offset, into);
    return fail(code_, "reading {} at {}: {}", name(), offset, describe_errno(code_));
  }
  Result<> write_at(std::uint64_t offset, ByteView bytes) override { return file_->write_at(offset, bytes); }
  Result<> truncate(std::uint64_t size) override { return file_->truncate(size); }
  Result<> punch(std::uint64_t offset, std::uint64_t length) override { return file_->punch(offset, length); }
  Result<> sync_data() override { return file_->sync_data(); }
  Result<std::uint64_t> size() const override { return file_->size(); }
  Result<std::uint64_t> allocated() const override { return file_->allocated(); }
  const std::string& name() const override { return file_->name(); }

 private:
  const std::unique_ptr<File> file_;
  const std::uint64_t from_;
  const int code_;
};

}  // namespace holdfast::test
