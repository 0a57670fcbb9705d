// A file that counts how often it is read.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "tests/lib/forwarding_file.h"

namespace holdfast::test {

class CountingFile final : public ForwardingFile {
 public:
  // The count must outlive the file. Several files may share one count.
  CountingFile(std::unique_ptr<File> file, std::atomic<std::size_t>& reads)
      : ForwardingFile(std::move(file)), reads_(reads) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    ++reads_;
    return ForwardingFile::read_at(offset, into);
  }

 private:
  std::atomic<std::size_t>& reads_;
};

}  // namespace holdfast::test
