// A draft of a config.json: the text written through one handle until it is committed (rule 2 of the
// contract), as a whole or not at all (law 17).
//
//   untouched ──write, truncate──► changed ──commit──► clean ──write──► changed
//                                     │
//                                     └─ refused: more may be written, and tried again
//
// A text that is written from its beginning is judged in the write that makes it whole, because a shell's
// echo shows no error that arrives at close. A text that was changed in the middle is judged at flush. The
// cost of a write follows from its own size, not from that of the text before it.
//
// Not thread-safe; knows nothing of files and of definitions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "fsd/tree/json_progress.h"

namespace holdfast::tree {

class ConfigDraft {
 public:
  static constexpr std::size_t kLargest = 1 << 20;

  // `base`: the file's content, which a write into the middle changes. Appended text replaces it, because
  // text after a whole JSON document never makes another one.
  explicit ConfigDraft(std::string_view base) : base_(base) {}

  Result<> write(std::uint64_t offset, std::string_view bytes, bool append);  // EFBIG
  Result<> truncate(std::uint64_t size);                                      // EFBIG
  static tl::unexpected<Error> fail_too_long() {
    return fail(EFBIG, "a definition has at most {} bytes", kLargest);
  }

  bool touched() const { return touched_; }
  // The file as this handle sees it.
  std::string_view text() const { return touched_ ? std::string_view{text_} : base_; }

  // Tells whether a write exceeded the limit: the text is only a part until it is truncated.
  bool too_long() const { return too_long_; }

  // Tells whether the text is not blank and has changed by more than blanks behind it.
  bool pending() const;
  enum class Step { nothing, wait, commit };
  // Decides the next step after a write.
  Step at_write() const;
  // Decides the next step at a flush. Incomplete JSON waits if another process than the opener flushes,
  // because several processes may write the text.
  Step at_flush(bool by_opener);
  void committed();
  // Takes back the last write, whose writer has been told.
  void refused();

  // Returns about the memory that the draft takes once it has been written up to there.
  std::size_t memory_after(std::uint64_t end) const;

 private:
  // The last write, to be taken back.
  struct LastWrite {
    std::size_t offset = 0;
    std::string overwritten;
    std::size_t size = 0;  // size of the text before
    JsonProgress progress;
  };

  void touch();
  bool may_become_json();

  std::string base_;
  std::string text_;
  LastWrite last_write_;
  std::optional<std::string> committed_;  // without blanks behind it
  bool in_order_ = false;                 // the text was written from its beginning, without gaps
  JsonProgress progress_;                 // state of a text written in order
  std::optional<bool> may_become_json_;   // state of any other; nullopt: not yet known
  bool touched_ = false;
  bool changed_ = false;
  bool too_long_ = false;
};

}  // namespace holdfast::tree
