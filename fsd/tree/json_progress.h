// Follows a JSON text as it arrives in pieces: whether it is whole, may become so, or can't any more. Each
// byte is looked at once, so a text of many small pieces costs no more than a text of one.
#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::tree {

// Judges syntax and UTF-8 as the parser of definitions does, but for numbers that are too large. Copies are
// cheap. Not thread-safe.
class JsonProgress {
 public:
  // A deeper text counts as wrong: no definition is nested so much.
  static constexpr unsigned kDeepest = 64;

  enum class State { incomplete, whole, wrong };
  void feed(std::string_view piece);
  State state() const;

 private:
  enum class Within { structure, string, escape, code_unit, number, literal };
  enum class Expects { value, value_or_end, key_or_end, key, colon, comma_or_end };
  enum class Number { minus, zero, whole, point, fraction, e, sign, exponent };

  void step(unsigned char c);
  void step_structure(unsigned char c);
  void step_comma_or_end(unsigned char c);
  void step_string(unsigned char c);
  void begin_character(unsigned char c);
  void step_escape(unsigned char c);
  void step_code_unit(unsigned char c);
  bool step_number(unsigned char c);  // false: the number ended before this byte
  void begin_value(unsigned char c);
  void begin_string(bool is_key);
  void begin_literal(std::string_view word);
  void open(bool object);
  void close();
  void end_value();
  void fail() { wrong_ = true; }
  bool in_object() const { return (objects_ >> (depth_ - 1) & 1) != 0; }
  bool number_may_end() const;

  bool wrong_ = false;
  Within within_ = Within::structure;
  Expects expects_ = Expects::value;
  unsigned depth_ = 0;
  std::uint64_t objects_ = 0;           // a bit for each level: whether it is an object
  bool is_key_ = false;                 // whether the string at hand is one
  unsigned continuation_ = 0;           // bytes that the UTF-8 character at hand still needs
  unsigned char least_ = 0, most_ = 0;  // bounds of the next of them
  unsigned digits_ = 0;                 // hex digits of the code unit at hand
  std::uint32_t code_unit_ = 0;
  bool needs_low_surrogate_ = false;
  Number number_ = Number::minus;
  std::string_view rest_;    // rest of the literal at hand
  std::uint64_t bytes_ = 0;  // number of bytes fed
};

}  // namespace holdfast::tree
