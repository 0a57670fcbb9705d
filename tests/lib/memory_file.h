// A file in memory, for tests that make many files.
#pragma once

#include <algorithm>
#include <mutex>
#include <string>

#include "catalog/base/disk.h"

namespace holdfast::test {

class MemoryFile final : public File {
 public:
  explicit MemoryFile(std::string name, Bytes bytes = {})
      : name_(std::move(name)), bytes_(std::move(bytes)) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    const std::lock_guard lock(mutex_);
    if (offset >= bytes_.size()) return 0;
    const std::size_t length = std::min<std::size_t>(into.size(), bytes_.size() - offset);
    std::memcpy(into.data(), bytes_.data() + offset, length);
    return length;
  }

  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    if (bytes.empty()) return {};
    if (offset + bytes.size() > bytes_.size()) bytes_.resize(offset + bytes.size());
    std::memcpy(bytes_.data() + offset, bytes.data(), bytes.size());
    return {};
  }

  Result<> truncate(std::uint64_t size) override {
    const std::lock_guard lock(mutex_);
    bytes_.resize(size);
    return {};
  }

  Result<> punch(std::uint64_t offset, std::uint64_t length) override {
    const std::lock_guard lock(mutex_);
    if (offset < bytes_.size())
      std::memset(bytes_.data() + offset, 0, std::min<std::uint64_t>(length, bytes_.size() - offset));
    return {};
  }

  Result<> sync_data() override { return {}; }

  Result<std::uint64_t> size() const override {
    const std::lock_guard lock(mutex_);
    return bytes_.size();
  }

  Result<std::uint64_t> allocated() const override { return size(); }
  const std::string& name() const override { return name_; }

  Bytes bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  const std::string name_;
  mutable std::mutex mutex_;
  Bytes bytes_;
};

}  // namespace holdfast::test
