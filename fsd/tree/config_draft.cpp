#include "fsd/tree/config_draft.h"

#include <nlohmann/json.hpp>

namespace holdfast::tree {
namespace {

// Parses only to find the position where the text stops being JSON.
class WhereWrong final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) override {
    position_ = position;
    return false;
  }
  std::size_t position() const { return position_; }

 private:
  std::size_t position_ = 0;
};

std::string_view without_blanks_behind(std::string_view text) {
  return text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
}

}  // namespace

bool is_incomplete_json(std::string_view text) {
  WhereWrong where;
  // The parser counts the end of the text as one more character that it has read.
  return !nlohmann::json::sax_parse(text, &where) && where.position() > text.size();
}

void ConfigDraft::touch() {
  touched_ = true;
  changed_ = true;
}

Result<> ConfigDraft::write(std::uint64_t offset, std::string_view bytes, bool append) {
  if (!touched_) {
    if (!append) text_ = base_;
    in_order_ = text_.empty();
  }
  if (append) offset = text_.size();
  if (offset > kLargest || bytes.size() > kLargest - offset) {
    too_long_ = true;
    return fail_too_long();
  }
  before_ = text_;
  if (offset > text_.size()) in_order_ = false;
  if (text_.size() < offset + bytes.size()) text_.resize(offset + bytes.size());
  text_.replace(offset, bytes.size(), bytes);
  touch();
  return {};
}

Result<> ConfigDraft::truncate(std::uint64_t size) {
  if (size > kLargest) return fail_too_long();
  if (!touched_) text_ = base_;
  if (size == 0) in_order_ = true;
  if (size > text_.size()) in_order_ = false;
  text_.resize(size);
  too_long_ = false;
  touch();
  return {};
}

ConfigDraft::Step ConfigDraft::at_write() const {
  if (!in_order_ || !pending()) return Step::nothing;
  return is_incomplete_json(text_) ? Step::wait : Step::commit;
}

bool ConfigDraft::pending() const {
  const std::string_view text = without_blanks_behind(text_);
  return changed_ && !text.empty() && text != committed_;
}

void ConfigDraft::refused() {
  text_ = before_;
  changed_ = false;
}

void ConfigDraft::committed() {
  changed_ = false;
  committed_ = without_blanks_behind(text_);
}

ConfigDraft::Step ConfigDraft::at_flush(bool by_opener) const {
  if (!pending()) return Step::nothing;
  if (!by_opener && is_incomplete_json(text_)) return Step::wait;
  return Step::commit;
}

}  // namespace holdfast::tree
