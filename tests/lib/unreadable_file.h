// A file whose reads fail beyond an offset, as on a device with a bad place.
#pragma once

#include <memory>
#include <string>

#include "tests/lib/forwarding_file.h"

namespace holdfast::test {

class UnreadableFile final : public ForwardingFile {
 public:
  UnreadableFile(std::unique_ptr<File> file, std::uint64_t from, int code)
      : ForwardingFile(std::move(file)), from_(from), code_(code) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    if (offset + into.size() <= from_) return ForwardingFile::read_at(offset, into);
    return fail(code_, "reading {} at {}: {}", name(), offset, describe_errno(code_));
  }

 private:
  const std::uint64_t from_;
  const int code_;
};

}  // namespace holdfast::test
