#pragma once

#include <functional>
#include <string>

#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// A control file: one write is one command, refused or accepted in that write (rule 4). Offsets, truncation
// and appending are ignored. Reading returns the list of verbs.
class ControlFile final : public OpenFile {
 public:
  static constexpr std::size_t kLongestCommand = 4096;

  using Command = std::function<Result<>(std::string_view line)>;
  ControlFile(std::string listing, Command command)
      : listing_(std::move(listing)), command_(std::move(command)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override {
    return copy(listing_, offset, into);
  }
  Result<> write(std::uint64_t, std::string_view bytes, bool) override { return command_(bytes); }
  Result<> truncate(std::uint64_t) override { return {}; }
  std::size_t kept() const override { return listing_.size(); }

 private:
  const std::string listing_;
  const Command command_;
};

}  // namespace holdfast::tree
