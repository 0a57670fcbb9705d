#include "fsd/tree/json_progress.h"

namespace holdfast::tree {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool is_json_blank(unsigned char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_json_digit(unsigned char c) { return c >= '0' && c <= '9'; }

// Returns 16 for what is no hex digit.
unsigned hex_value(unsigned char c) {
  if (is_json_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10u;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10u;
  return 16;
}

}  // namespace

JsonProgress::State JsonProgress::state() const {
  if (wrong_) return State::wrong;
  if (depth_ > 0) return State::incomplete;
  if (within_ == Within::number) return number_may_end() ? State::whole : State::incomplete;
  const bool has_ended = within_ == Within::structure && expects_ == Expects::comma_or_end;
  return has_ended ? State::whole : State::incomplete;
}

void JsonProgress::feed(std::string_view piece) {
  for (const char c : piece) {
    if (wrong_) return;
    step(static_cast<unsigned char>(c));
    ++bytes_;
  }
}

void JsonProgress::step(unsigned char c) {
  if (bytes_ < kByteOrderMark.size() && within_ == Within::structure && depth_ == 0 &&
      c == static_cast<unsigned char>(kByteOrderMark[bytes_]))
    return;
  switch (within_) {
    case Within::structure: return step_structure(c);
    case Within::string: return step_string(c);
    case Within::escape: return step_escape(c);
    case Within::code_unit: return step_code_unit(c);
    case Within::number:
      if (!step_number(c) && !wrong_) step_structure(c);
      return;
    case Within::literal:
      if (c != static_cast<unsigned char>(rest_.front())) return fail();
      rest_.remove_prefix(1);
      if (rest_.empty()) end_value();
      return;
  }
}

void JsonProgress::step_structure(unsigned char c) {
  if (is_json_blank(c)) return;
  switch (expects_) {
    case Expects::value: return begin_value(c);
    case Expects::value_or_end: return c == ']' ? close() : begin_value(c);
    case Expects::key_or_end:
      if (c == '}') return close();
      return c == '"' ? begin_string(true) : fail();
    case Expects::key: return c == '"' ? begin_string(true) : fail();
    case Expects::colon:
      if (c != ':') return fail();
      expects_ = Expects::value;
      return;
    case Expects::comma_or_end: return step_comma_or_end(c);
  }
}

void JsonProgress::step_comma_or_end(unsigned char c) {
  if (depth_ == 0) return fail();  // more text behind a whole one
  if (c == (in_object() ? '}' : ']')) return close();
  if (c != ',') return fail();
  expects_ = in_object() ? Expects::key : Expects::value;
}

void JsonProgress::begin_value(unsigned char c) {
  switch (c) {
    case '{': return open(true);
    case '[': return open(false);
    case '"': return begin_string(false);
    case 't': return begin_literal("rue");
    case 'f': return begin_literal("alse");
    case 'n': return begin_literal("ull");
    default: break;
  }
  if (c != '-' && !is_json_digit(c)) return fail();
  within_ = Within::number;
  number_ = c == '-' ? Number::minus : c == '0' ? Number::zero : Number::whole;
}

void JsonProgress::begin_string(bool is_key) {
  within_ = Within::string;
  is_key_ = is_key;
}

void JsonProgress::begin_literal(std::string_view word) {
  within_ = Within::literal;
  rest_ = word;
}

void JsonProgress::open(bool object) {
  if (depth_ == kDeepest) return fail();
  const std::uint64_t bit = std::uint64_t{1} << depth_;
  objects_ = object ? objects_ | bit : objects_ & ~bit;
  ++depth_;
  expects_ = object ? Expects::key_or_end : Expects::value_or_end;
}

void JsonProgress::close() {
  --depth_;
  end_value();
}

void JsonProgress::end_value() {
  within_ = Within::structure;
  expects_ = Expects::comma_or_end;
}

void JsonProgress::step_string(unsigned char c) {
  if (continuation_ > 0) {
    if (c < least_ || c > most_) return fail();
    --continuation_;
    least_ = 0x80, most_ = 0xBF;
    return;
  }
  if (needs_low_surrogate_ && c != '\\') return fail();
  if (c == '\\') {
    within_ = Within::escape;
  } else if (c == '"') {
    end_value();
    if (is_key_) expects_ = Expects::colon;
  } else {
    begin_character(c);
  }
}

// The well-formed sequences of the Unicode Standard, table 3-7.
void JsonProgress::begin_character(unsigned char c) {
  least_ = 0x80, most_ = 0xBF;
  if (c < 0x20) return fail();
  if (c < 0x80) return;
  if (c < 0xC2 || c > 0xF4) return fail();
  continuation_ = c < 0xE0 ? 1 : c < 0xF0 ? 2 : 3;
  if (c == 0xE0) least_ = 0xA0;
  if (c == 0xED) most_ = 0x9F;
  if (c == 0xF0) least_ = 0x90;
  if (c == 0xF4) most_ = 0x8F;
}

void JsonProgress::step_escape(unsigned char c) {
  if (c == 'u') {
    within_ = Within::code_unit;
    digits_ = 0;
    code_unit_ = 0;
    return;
  }
  if (needs_low_surrogate_ ||
      std::string_view{"\"\\/bfnrt"}.find(static_cast<char>(c)) == std::string_view::npos)
    return fail();
  within_ = Within::string;
}

void JsonProgress::step_code_unit(unsigned char c) {
  const unsigned value = hex_value(c);
  if (value > 15) return fail();
  code_unit_ = code_unit_ * 16 + value;
  if (++digits_ < 4) return;
  const bool is_low = code_unit_ >= 0xDC00 && code_unit_ <= 0xDFFF;
  if (is_low != needs_low_surrogate_) return fail();
  needs_low_surrogate_ = code_unit_ >= 0xD800 && code_unit_ <= 0xDBFF;
  within_ = Within::string;
}

bool JsonProgress::number_may_end() const {
  return number_ == Number::zero || number_ == Number::whole || number_ == Number::fraction ||
         number_ == Number::exponent;
}

bool JsonProgress::step_number(unsigned char c) {
  const bool is_e = c == 'e' || c == 'E';
  const bool has_whole_part = number_ == Number::zero || number_ == Number::whole;
  if (is_json_digit(c) && number_ != Number::zero) {
    if (number_ == Number::minus)
      number_ = c == '0' ? Number::zero : Number::whole;
    else if (number_ == Number::point)
      number_ = Number::fraction;
    else if (number_ == Number::e || number_ == Number::sign)
      number_ = Number::exponent;
  } else if (c == '.' && has_whole_part) {
    number_ = Number::point;
  } else if (is_e && (has_whole_part || number_ == Number::fraction)) {
    number_ = Number::e;
  } else if ((c == '+' || c == '-') && number_ == Number::e) {
    number_ = Number::sign;
  } else if (number_may_end()) {
    end_value();
    return false;
  } else {
    fail();
  }
  return true;
}

}  // namespace holdfast::tree
