// A file that fails after so many operations: its disk is full or broken, or the process is killed.
#pragma once

#include <signal.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "catalog/base/disk.h"

namespace holdfast::test {

// The fault of one disk, shared by its files. Writes, truncates and syncs are counted from 0; the operation
// with this number and all later ones fail.
class FaultPlan {
 public:
  static constexpr int kKilled = 0;  // no errno: this process is killed

  FaultPlan(std::uint64_t first_failing, int code)
      : left_(static_cast<std::int64_t>(first_failing)), code_(code) {}

  bool fails_now() { return left_.fetch_sub(1) <= 0; }
  bool failed() const { return left_.load() < 0; }
  int code() const { return code_; }
  std::uint64_t left() const { return static_cast<std::uint64_t>(left_.load()); }

 private:
  std::atomic<std::int64_t> left_;
  const int code_;
};

class FaultyFile final : public File {
 public:
  // The plan and the file must outlive this object.
  FaultyFile(File& file, FaultPlan& plan) : file_(file), plan_(plan) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    return file_.read_at(offset, into);
  }
  // A failing write stores half of its bytes first, as a full disk does.
  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    if (!plan_.fails_now()) return file_.write_at(offset, bytes);
    std::size_t part = bytes.size() / 2;
    if (plan_.code() == FaultPlan::kKilled)
      part -= part % 4096;  // a signal waits for the page that is copied
    HF_CHECK(file_.write_at(offset, bytes.first(part)));
    return fault("writing");
  }
  Result<> truncate(std::uint64_t size) override {
    return plan_.fails_now() ? fault("setting the size of") : file_.truncate(size);
  }
  Result<> punch(std::uint64_t offset, std::uint64_t length) override {
    return plan_.fails_now() ? fault("punching") : file_.punch(offset, length);
  }
  Result<> sync_data() override { return plan_.fails_now() ? fault("syncing") : file_.sync_data(); }
  Result<std::uint64_t> size() const override { return file_.size(); }
  Result<std::uint64_t> allocated() const override { return file_.allocated(); }
  const std::string& name() const override { return file_.name(); }

 private:
  Result<> fault(const char* doing) const {
    if (plan_.code() == FaultPlan::kKilled) ::raise(SIGKILL);
    return fail(plan_.code(), "{} {}: {}", doing, name(), describe_errno(plan_.code()));
  }

  File& file_;
  FaultPlan& plan_;
};

}  // namespace holdfast::test
