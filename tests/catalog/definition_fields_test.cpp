// config.json, field by field: spans of time, schedules, references that may be absent.
#include "tests/lib/definition_checks.h"

namespace holdfast {
namespace {

using testing::HasSubstr;

TEST(DefinitionFields, spans_of_time_are_printed_in_their_largest_unit) {
  PolicyDefinition policy;
  policy.min_age = std::chrono::seconds{86400 * 7};
  EXPECT_THAT(print_definition(policy), HasSubstr(R"("min_age": "7d")"));
  policy.min_age = std::chrono::seconds{5400};
  EXPECT_THAT(print_definition(policy), HasSubstr(R"("min_age": "90m")"));
  policy.min_age = std::chrono::seconds{0};
  EXPECT_THAT(print_definition(policy), HasSubstr(R"("min_age": "0s")"));
}

TEST(DefinitionFields, a_schedule_has_one_rule) {
  EXPECT_EQ(refusal<ScheduleDefinition>("{}"),
            R"(a schedule has either "cron" or "every"; this one has neither)");
  EXPECT_EQ(refusal<ScheduleDefinition>(R"({"cron":"* * * * *","every":"1h"})"),
            R"(a schedule has either "cron" or "every"; this one has both)");
  EXPECT_THAT(refusal<ScheduleDefinition>(R"({"every":"0s"})"), HasSubstr("that is not 0"));
  EXPECT_THAT(refusal<ScheduleDefinition>(R"({"every":60})"), HasSubstr("a span of time"));
}

TEST(DefinitionFields, a_reference_that_may_be_absent_is_null_or_a_name) {
  const auto flow = [](const char* fields) {
    return fmt::format(R"({{"target":"machines/m","repository":"r",{}}})", fields);
  };
  const auto definition = parse_definition<FlowDefinition>(flow(R"("schedule":"h","after":null)"));
  ASSERT_TRUE(definition) << definition.error().message;
  EXPECT_EQ(definition->schedule, "h");
  EXPECT_EQ(definition->after, "");
  EXPECT_EQ(parse_definition<FlowDefinition>(flow(R"("schedule":"")")).value().schedule, "");
  EXPECT_THAT(print_definition(*definition), HasSubstr("\"schedule\": \"h\""));
  EXPECT_THAT(print_definition(*definition), HasSubstr("\"after\": null"));
  EXPECT_THAT(refusal<FlowDefinition>(flow(R"("after":"a b")")),
              HasSubstr("field \"after\" is \"a b\"; it must be a name"));
  EXPECT_THAT(refusal<FlowDefinition>(flow(R"("overlap":"qeue")")), HasSubstr("did you mean \"queue\"?"));
}

}  // namespace
}  // namespace holdfast
