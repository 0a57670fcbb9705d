// A file that hands everything on to another one, for tests that change one operation.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "catalog/base/disk.h"

namespace holdfast::test {

class ForwardingFile : public File {
 public:
  explicit ForwardingFile(std::unique_ptr<File> file) : file_(std::move(file)) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    return file_->read_at(offset, into);
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
};

}  // namespace holdfast::test
