// Tests that lack something of this machine: a missing program or right.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace holdfast::test {

// HOLDFAST_ALLOW_SKIP holds names of tests, separated by commas.
inline bool may_skip_this_test() {
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const std::string name = std::string(test->test_suite_name()) + "." + test->name();
  const char* allowed = std::getenv("HOLDFAST_ALLOW_SKIP");
  return allowed != nullptr && ("," + std::string(allowed) + ",").find("," + name + ",") != std::string::npos;
}

}  // namespace holdfast::test

// Ends the test as failed, or as skipped where HOLDFAST_ALLOW_SKIP names the test.
#define HF_CANNOT_RUN(why)                                                                     \
  do {                                                                                         \
    if (holdfast::test::may_skip_this_test()) GTEST_SKIP() << (why);                           \
    FAIL() << (why) << "; HOLDFAST_ALLOW_SKIP with this test's name in it goes on without it"; \
  } while (false)
