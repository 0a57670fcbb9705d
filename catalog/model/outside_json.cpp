#include "catalog/model/outside_json.h"

#include "catalog/base/cut.h"

namespace holdfast::json {
namespace {

constexpr int kDeepestOutside = 64;
constexpr std::size_t kMostValues = 200'000;

// Ends the parser at the first value beyond the limits. The parser itself does not recurse.
class Limits final : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t&) override { return count(); }
  bool string(string_t&) override { return count(); }
  bool binary(binary_t&) override { return count(); }
  bool key(string_t&) override { return count(); }
  bool start_object(std::size_t) override { return count() && ++depth_ <= kDeepestOutside; }
  bool start_array(std::size_t) override { return count() && ++depth_ <= kDeepestOutside; }
  bool end_object() override { return --depth_ >= 0; }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }
  bool is_too_deep() const { return depth_ > kDeepestOutside; }
  bool are_too_many() const { return values_ > kMostValues; }

 private:
  bool count() { return ++values_ <= kMostValues; }

  int depth_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

Result<nlohmann::json> parse_outside(std::string_view text) {
  Limits limits;
  if (!nlohmann::json::sax_parse(text, &limits)) {
    if (limits.is_too_deep())
      return fail(EPROTO, "this JSON is nested deeper than {} levels", kDeepestOutside);
    if (limits.are_too_many()) return fail(EPROTO, "this JSON has more than {} values", kMostValues);
    return fail(EPROTO, "this is no JSON: '{}'", cut(text, kLongestQuote));
  }
  return nlohmann::json::parse(text);
}

}  // namespace holdfast::json
