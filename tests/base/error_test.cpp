#include "catalog/base/error.h"

#include <gtest/gtest.h>

#include <memory>

namespace holdfast {
namespace {

Result<int> halve(int n) {
  if (n % 2 != 0) return fail(EINVAL, "{} is odd", n);
  return n / 2;
}

Result<int> quarter(int n) {
  HF_TRY(const int half, halve(n));
  return halve(half);
}

Result<> check_even(int n) {
  HF_CHECK(halve(n));
  return {};
}

TEST(Errors, have_an_errno_and_a_sentence) {
  EXPECT_EQ(halve(3).error(), (Error{EINVAL, "3 is odd"}));
  errno = ENOENT;
  EXPECT_EQ(fail_errno("opening {}", "x").value(), (Error{ENOENT, "opening x: No such file or directory"}));
  EXPECT_EQ(within(Error{EIO, "it broke"}, "reading {}", "a").value(), (Error{EIO, "reading a: it broke"}));
}

TEST(Errors, are_handed_on_to_the_caller) {
  EXPECT_EQ(quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "3 is odd");
  EXPECT_TRUE(check_even(4));
  EXPECT_FALSE(check_even(5));
}

TEST(Errors, of_a_value_that_only_moves_are_handed_on_too) {
  const auto make = [](bool good) -> Result<std::unique_ptr<int>> {
    if (!good) return fail(EIO, "no");
    return std::make_unique<int>(5);
  };
  const auto take = [&](bool good) -> Result<int> {
    HF_TRY(const std::unique_ptr<int> owned, make(good));
    return *owned;
  };
  EXPECT_EQ(take(true), 5);
  EXPECT_EQ(take(false).error().code, EIO);
}

}  // namespace
}  // namespace holdfast
