#include "fsd/tree/config_draft.h"

#include <algorithm>

namespace holdfast::tree {
namespace {

std::string_view without_blanks_behind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

}  // namespace

void ConfigDraft::touch() {
  touched_ = true;
  changed_ = true;
  may_become_json_.reset();
}

Result<> ConfigDraft::write(std::uint64_t offset, std::string_view bytes, bool append) {
  if (!touched_) {
    if (!append) text_ = base_;
    in_order_ = text_.empty();
    progress_ = {};
  }
  if (append) offset = text_.size();
  if (offset > kLargest || bytes.size() > kLargest - offset) {
    too_long_ = true;
    return fail_too_long();
  }
  last_write_ = {.offset = offset,
                 .overwritten = text_.substr(std::min<std::size_t>(offset, text_.size()), bytes.size()),
                 .size = text_.size(),
                 .progress = progress_};
  const bool is_new_text = offset == 0 && bytes.size() >= text_.size();
  if (is_new_text) progress_ = {};
  if (offset != text_.size() && !is_new_text) in_order_ = false;
  if (in_order_) progress_.feed(bytes);
  if (text_.size() < offset + bytes.size()) text_.resize(offset + bytes.size());
  text_.replace(offset, bytes.size(), bytes);
  touch();
  return {};
}

Result<> ConfigDraft::truncate(std::uint64_t size) {
  if (size > kLargest) return fail_too_long();
  if (!touched_) text_ = base_;
  if (size != text_.size()) in_order_ = size == 0;
  if (size == 0) {
    in_order_ = true;
    progress_ = {};
  }
  text_.resize(size);
  too_long_ = false;
  touch();
  return {};
}

ConfigDraft::Step ConfigDraft::at_write() const {
  if (!in_order_ || !pending()) return Step::nothing;
  return progress_.state() == JsonProgress::State::incomplete ? Step::wait : Step::commit;
}

bool ConfigDraft::pending() const {
  const std::string_view text = without_blanks_behind(text_);
  return changed_ && !text.empty() && text != committed_;
}

void ConfigDraft::refused() {
  text_.replace(last_write_.offset, last_write_.overwritten.size(), last_write_.overwritten);
  text_.resize(last_write_.size);
  progress_ = last_write_.progress;
  changed_ = false;
}

// The base, the text, and the text that was committed.
std::size_t ConfigDraft::memory_after(std::uint64_t end) const {
  std::size_t longest = std::max(text_.size(), std::min<std::size_t>(end, kLargest));
  if (!touched_ && end > 0) longest = std::max(longest, base_.size());
  return base_.size() + 2 * longest;
}

void ConfigDraft::committed() {
  changed_ = false;
  committed_ = without_blanks_behind(text_);
}

bool ConfigDraft::may_become_json() {
  if (in_order_) return progress_.state() == JsonProgress::State::incomplete;
  if (!may_become_json_) {
    JsonProgress all;
    all.feed(text_);
    may_become_json_ = all.state() == JsonProgress::State::incomplete;
  }
  return *may_become_json_;
}

ConfigDraft::Step ConfigDraft::at_flush(bool by_opener) {
  if (!pending()) return Step::nothing;
  if (!by_opener && may_become_json()) return Step::wait;
  return Step::commit;
}

}  // namespace holdfast::tree
