#include "fsd/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace holdfast {
namespace {

Result<Options> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "holdfastd");
  std::vector<char*> raw;
  for (std::string& word : words) raw.push_back(word.data());
  raw.push_back(nullptr);
  return parse_options(static_cast<int>(words.size()), raw.data());
}

TEST(CommandLine, TakesAMountPointAndHasDefaults) {
  const auto options = parse({"/mnt"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->mount_point, "/mnt");
  EXPECT_EQ(options->state, "/var/lib/holdfast");
  EXPECT_FALSE(options->foreground);
}

TEST(CommandLine, TakesOptionsBeforeAndAfter) {
  const auto options = parse({"--foreground", "/mnt", "--state", "/s", "--debug"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->foreground);
  EXPECT_TRUE(options->debug);
  EXPECT_EQ(options->state, "/s");
}

TEST(CommandLine, SaysWhatIsWrong) {
  EXPECT_THAT(parse({}).error().message, testing::HasSubstr("no mount point"));
  EXPECT_THAT(parse({"/a", "/b"}).error().message, testing::HasSubstr("one mount point"));
  EXPECT_THAT(parse({"--bogus", "/a"}).error().message, testing::HasSubstr("--bogus"));
  EXPECT_THAT(parse({"/a", "--state"}).error().message, testing::HasSubstr("--state wants a value"));
}

TEST(CommandLine, AsksForHelpAndVersionWithoutAMountPoint) {
  EXPECT_EQ(parse({"--help"})->task, Options::Task::show_help);
  EXPECT_EQ(parse({"--version"})->task, Options::Task::show_version);
}

TEST(CommandLine, HasEveryOptionInItsHelp) {
  for (const char* option : {"--state", "--foreground", "--debug", "--version", "--help"})
    EXPECT_THAT(usage(), testing::HasSubstr(option));
}

}  // namespace
}  // namespace holdfast
