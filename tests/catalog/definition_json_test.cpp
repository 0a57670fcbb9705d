// config.json: what is read, what is printed, what is refused and in which words.
#include "catalog/model/definition_json.h"

#include "tests/catalog/fixture.h"
#include "tests/lib/definition_checks.h"

namespace holdfast {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(DefinitionJson, a_printed_definition_reads_back_as_the_same) {
  const RepositoryDefinition repository{
      "the \"vault\"\nžluť", {"far", "b"}, "/srv/b", Compression::deflate, 9, 2097152, true};
  EXPECT_EQ(must(parse_definition<RepositoryDefinition>(print_definition(repository))), repository);
  const FlowDefinition flow{"nightly", {"gold"}, FlowType::backup, "machines/m", "r", false};
  EXPECT_EQ(must(parse_definition<FlowDefinition>(print_definition(flow))), flow);
}

TEST(DefinitionJson, every_field_is_printed_in_a_stable_order) {
  EXPECT_EQ(print_definition(a_repository()), R"({
  "description": "",
  "tags": [],
  "path": "/srv/backup",
  "compression": "zstd",
  "compression_level": 1,
  "cluster_size": 65536,
  "max_jobs": 2,
  "bandwidth": null,
  "reserve": "2%",
  "read_only": false
}
)");
}

TEST(DefinitionJson, the_examples_of_the_contract_are_read) {
  EXPECT_TRUE(parse_definition<RepositoryDefinition>(R"({"path":"/srv/backup"})"));
  EXPECT_TRUE(
      parse_definition<FlowDefinition>(R"({"type":"backup","target":"machines/m","repository":"r"})"));
}

TEST(DefinitionJson, absent_fields_get_their_defaults) {
  EXPECT_EQ(must(parse_definition<RepositoryDefinition>(R"({"path":"/srv/backup"})")), a_repository());
}

TEST(DefinitionJson, a_size_is_read_in_bytes_and_in_units) {
  for (const char* size : {"65536", "\"65536\"", "\"64K\"", "65536.0"})
    EXPECT_EQ(must(parse_definition<RepositoryDefinition>(
                       fmt::format(R"({{"path":"/a","cluster_size":{}}})", size)))
                  .cluster_size,
              65536u)
        << size;
}

TEST(DefinitionJson, a_refusal_names_the_field_the_value_and_what_would_be_right) {
  using R = RepositoryDefinition;
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compresion":"zstd"})"),
            R"(field "compresion" is not known here; did you mean "compression"?)");
  EXPECT_THAT(refusal<R>(R"({"path":"/a","colour":"red"})"),
              StartsWith(R"(field "colour" is not known here, only "description", "tags", "path")"));
  EXPECT_EQ(refusal<R>(R"({"path":"/a","cluster_size":1000})"),
            R"(field "cluster_size" is 1000; it must be a power of two from 4096 to 2097152, )"
            R"(written in bytes or as "64K")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compression":"lzma"})"),
            R"(field "compression" is "lzma"; it must be "zstd", "deflate" or "none")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compression_level":0})"),
            R"(field "compression_level" is 0; it must be a whole number from 1 to 22)");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","reserve":"101%"})"),
            R"(field "reserve" is "101%"; it must be a share from "0%" to "100%")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","reserve":2})"),
            R"(field "reserve" is 2; it must be a share from "0%" to "100%")");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","read_only":"yes"})"),
            R"(field "read_only" is "yes"; it must be true or false)");
  EXPECT_EQ(refusal<R>(R"({"path":"/a","compression":"deflate","compression_level":13})"),
            R"(field "compression_level" is 13; for "deflate" it must be from 1 to 9)");
  EXPECT_THAT(refusal<R>("{}"), StartsWith(R"(field "path" is missing; it must be an absolute path)"));
  EXPECT_EQ(refusal<R>(R"({"path":"/a","path":"/b"})"), R"(field "path" is there twice)");
  EXPECT_EQ(refusal<R>(R"({"path":"/a\u0000b"})"),
            R"(field "path" is "/a\u0000b"; it must be text without a NUL)");
  EXPECT_EQ(refusal<R>(R"({"path":null})").substr(0, 21), R"(field "path" is null;)");
  EXPECT_EQ(
      refusal<FlowDefinition>(R"({"target":"m","repository":"r"})"),
      R"(field "target" is "m"; it must be a machine or a group, written as machines/NAME or groups/NAME)");
}

TEST(DefinitionJson, a_text_that_is_no_json_is_refused) {
  using R = RepositoryDefinition;
  for (const char* text : {"", "{", R"({"path":"/a"} x)", R"({"path":"/a",})", "{'path':'/a'}", "\xff",
                           R"({"path":")"
                           "\xff\"}"})
    EXPECT_THAT(refusal<R>(text), StartsWith("this is no JSON: ")) << text;
  for (const char* text : {"[]", "1", "null", "\"x\""})
    EXPECT_THAT(refusal<R>(text), StartsWith("a definition is a JSON object")) << text;
}

TEST(DefinitionJson, a_foolish_depth_is_refused_and_not_followed) {
  const std::string deep = std::string(500'000, '[') + std::string(500'000, ']');
  EXPECT_EQ(refusal<RepositoryDefinition>(R"({"path":)" + deep + "}"),
            "this JSON is nested deeper than 16 levels");
}

TEST(DefinitionJson, a_long_wrong_value_is_shown_in_short) {
  const std::string message =
      refusal<RepositoryDefinition>(R"({"path":"/a","cluster_size":")" + std::string(100'000, 'x') + R"("})");
  EXPECT_LT(message.size(), 300u);
}

TEST(DefinitionJson, a_field_that_names_the_host_is_set_by_root_alone) {
  EXPECT_EQ(root_only_change(a_repository(), a_repository("/etc")), "path");
  FlowDefinition flow = a_flow();
  flow.target = "machines/other";
  EXPECT_EQ(root_only_change(a_flow(), flow), "");
}

TEST(DefinitionJson, a_near_miss_of_a_word_is_suggested) {
  const auto read = parse_definition<RepositoryDefinition>(R"({"path":"/r","compression":"zsdt"})");
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, testing::EndsWith("did you mean \"zstd\"?"));
}

TEST(DefinitionJson, every_kind_is_printed_and_read_back) {
  const auto same = []<class D>(const D& definition) {
    EXPECT_EQ(must(parse_definition<D>(print_definition(definition))), definition);
  };
  same(GroupDefinition{"all", {"prod"}});
  same(SettingsDefinition{});
  same(SettingsDefinition{1, false, 2});
  same(PolicyDefinition{});
  same(PolicyDefinition{.keep_last = 1,
                        .min_age = std::chrono::seconds{7},
                        .full_every = std::chrono::seconds{604800},
                        .verify = VerifyLevel::compare,
                        .sample = 5,
                        .bandwidth = 12,
                        .verify_every = std::chrono::days{30},
                        .verify_bandwidth = 13,
                        .verify_window = {"sat-sun"}});
  same(PolicyDefinition{.full_every = 30});
  same(PolicyDefinition{.boot_check = std::chrono::seconds{0}, .boot_expect = {BootSign::serial, "login: "}});
  same(PolicyDefinition{.boot_check = std::chrono::days{7},
                        .boot_expect = {BootSign::agent, ""},
                        .boot_timeout = std::chrono::seconds{90},
                        .boot_bus = BootBus::sata});
  same(PolicyDefinition{.full_every = CalendarPeriod::week});
  same(ScheduleDefinition{.cron = "0 2 * * *", .blackout = {"sun"}});
  same(ScheduleDefinition{.every = std::chrono::seconds{90}, .jitter = std::chrono::seconds{60}});
}

TEST(DefinitionJson, a_field_that_the_engine_does_not_honour_is_refused) {
  EXPECT_THAT(refusal<GroupDefinition>(R"({"sources":["kvm"]})"), HasSubstr("not known here"));
}

}  // namespace
}  // namespace holdfast
