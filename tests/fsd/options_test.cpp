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

TEST(CommandLine, a_mount_point_alone_gives_the_defaults) {
  const auto options = parse({"/mnt"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->mount_point, "/mnt");
  EXPECT_EQ(options->state, "/var/lib/holdfast");
  EXPECT_FALSE(options->foreground);
}

TEST(CommandLine, options_stand_before_and_after_the_mount_point) {
  const auto options = parse({"--foreground", "/mnt", "--state", "/s", "--debug"});
  ASSERT_TRUE(options);
  EXPECT_TRUE(options->foreground);
  EXPECT_TRUE(options->debug);
  EXPECT_EQ(options->state, "/s");
}

TEST(CommandLine, a_wrong_command_line_is_refused_with_its_reason) {
  EXPECT_THAT(parse({}).error().message, testing::HasSubstr("no mount point"));
  EXPECT_THAT(parse({"/a", "/b"}).error().message, testing::HasSubstr("one mount point"));
  EXPECT_THAT(parse({"--bogus", "/a"}).error().message, testing::HasSubstr("--bogus"));
  EXPECT_THAT(parse({"/a", "--state"}).error().message, testing::HasSubstr("--state wants a value"));
}

TEST(CommandLine, help_and_version_need_no_mount_point) {
  EXPECT_EQ(parse({"--help"})->task, Options::Task::show_help);
  EXPECT_EQ(parse({"--version"})->task, Options::Task::show_version);
}

TEST(CommandLine, the_usage_names_every_option) {
  for (const char* option : {"--state", "--foreground", "--debug", "--version", "--help"})
    EXPECT_THAT(usage(), testing::HasSubstr(option));
}

}  // namespace
}  // namespace holdfast
