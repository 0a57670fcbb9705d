// What is written into a config.json through one handle, until it is committed (rule 2 of the contract).
// It is committed as a whole or not at all (law 17).
//
//   untouched ──write, truncate──► changed ──commit──► clean ──write──► changed
//                                     │
//                                     └─ refused: stays changed; more may be written, and tried again
//
// Not thread-safe; knows nothing of files and of definitions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast::tree {

// The beginning of a JSON document that what follows may still complete.
bool is_incomplete_json(std::string_view text);

class ConfigDraft {
 public:
  static constexpr std::size_t kLargest = 1 << 20;

  // `base`: what the file holds. It is what a write into the middle changes; truncation and appending
  // don't use it: what is appended to a whole JSON document can never make another one, so it is taken
  // as the new document.
  explicit ConfigDraft(std::string_view base) : base_(base) {}

  Result<> write(std::uint64_t offset, std::string_view bytes, bool append);  // EFBIG
  Result<> truncate(std::uint64_t size);                                      // EFBIG
  static tl::unexpected<Error> fail_too_long() {
    return fail(EFBIG, "a definition has at most {} bytes", kLargest);
  }

  bool touched() const { return touched_; }
  // As the handle sees the file.
  std::string_view text() const { return touched_ ? std::string_view{text_} : base_; }

  // More was to be written than it may hold: what it has is only a part, until it is cut.
  bool too_long() const { return too_long_; }

  // Something that is neither committed nor empty.
  bool pending() const { return changed_ && !text_.empty(); }
  enum class Step { nothing, wait, commit };
  // What a flush has to do. By another process than the opener's it may come while the text is
  // being written by several: incomplete JSON waits then.
  Step at_flush(bool by_opener) const;
  void committed() { changed_ = false; }

 private:
  void touch();

  std::string base_;
  std::string text_;
  bool touched_ = false;
  bool changed_ = false;
  bool too_long_ = false;
};

}  // namespace holdfast::tree
