#pragma once

#include <memory>
#include <string>

#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// A snapshot of a text, taken at open.
class TextFile final : public OpenFile {
 public:
  explicit TextFile(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}
  explicit TextFile(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override {
    return copy(*text_, offset, into);
  }
  std::size_t kept() const override { return text_->size(); }

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace holdfast::tree
