#include "fsd/verbs/verb.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/image/writer.h"
#include "tests/fsd/started_engine.h"
#include "tests/lib/silent_source.h"

namespace holdfast::verbs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<ParsedCommand> parse_flow(std::string_view line) { return parse(line, of_flow()); }

std::string refusal(std::string_view line) {
  const auto parsed = parse_flow(line);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, EINVAL);
  return parsed.error().message;
}

TEST(Parsing, a_verb_alone_is_a_command) {
  const auto command = parse_flow("run\n");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->verb->word, "run");
  EXPECT_FALSE(command->values.has("type"));
}

TEST(Parsing, arguments_come_in_any_order_and_spacing) {
  const auto command = parse_flow("  run\tname=r1  machines=a,b type=full by=cron\n");
  ASSERT_TRUE(command);
  EXPECT_EQ(command->values.text("name"), "r1");
  EXPECT_EQ(command->values.text("type"), "full");
  EXPECT_EQ(command->values.text("by"), "cron");
  EXPECT_THAT(command->values.list("machines"), ElementsAre("a", "b"));
}

TEST(Parsing, a_value_in_double_quotes_may_have_blanks) {
  const auto command = parse(R"(pin why="before the \"big\" one"  until=2126-11-20)", of_point());
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->values.text("why"), R"(before the "big" one)");
  EXPECT_EQ(command->values.text("until"), "2126-11-20");
  EXPECT_EQ(parse("pin why=\"oh", of_point()).error().message, "a double quote is opened and never closed");
}

TEST(Parsing, a_quote_inside_a_value_is_an_ordinary_character) {
  const auto command = parse_flow(R"(set only_if=a="b")");
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->values.text("only_if"), R"(a="b")");
}

TEST(Parsing, a_value_of_a_field_is_json_up_to_its_end) {
  const auto command =
      parse_flow(R"(set tags=["a ] \" b", "c"] description="" hooks={"a": [1, {}]} enabled=true)");
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->values.text("tags"), R"(["a ] \" b", "c"])");
  EXPECT_EQ(command->values.text("description"), R"("")");
  EXPECT_EQ(command->values.text("hooks"), R"({"a": [1, {}]})");
  EXPECT_EQ(command->values.text("enabled"), "true");
  EXPECT_THAT(refusal(R"(set description="a"b)"), HasSubstr("a blank is missing behind description=\"a\""));
  EXPECT_THAT(refusal(R"(set tags=["a", "b")"), HasSubstr("never closed"));
  EXPECT_TRUE(parse("run flows=[ab]*", of_root()));
}

TEST(Parsing, a_moment_is_a_time_or_a_span_from_now) {
  EXPECT_TRUE(parse("pin until=30d", of_point()));
  EXPECT_TRUE(parse("pin until=2126-11-20T02:30", of_point()));
  EXPECT_THAT(parse("pin until=soon", of_point()).error().message, HasSubstr("is no time"));
}

TEST(Parsing, set_takes_any_field) {
  const auto command = parse_flow(R"(set enabled=false description="the web servers")");
  ASSERT_TRUE(command) << command.error().message;
  EXPECT_EQ(command->values.all().size(), 2u);
  EXPECT_EQ(command->values.text("description"), R"("the web servers")");
  EXPECT_THAT(refusal("set"), HasSubstr("'set' wants FIELD=VALUE"));
}

TEST(Parsing, a_synopsis_shows_the_arguments_of_a_verb) {
  EXPECT_EQ(
      synopsis(of_root()[0]),
      "run flows=GLOB [type=auto|full|incremental] [by=NAME] [bandwidth=SIZE] [sample=SHARE] [name=ID]");
  EXPECT_EQ(synopsis(*parse_flow("set a=b")->verb), "set FIELD=VALUE …");
}

TEST(Parsing, an_unknown_verb_is_refused_with_the_nearest_one) {
  EXPECT_EQ(refusal("rnu"),
            "there is no verb 'rnu' here, only run, cancel, enable, disable, test, set, clone; did you mean "
            "'run'?");
  EXPECT_EQ(refusal("bogus"),
            "there is no verb 'bogus' here, only run, cancel, enable, disable, test, set, clone");
}

TEST(Parsing, an_unknown_argument_is_refused_with_the_nearest_one) {
  EXPECT_THAT(refusal("run nmae=x"), HasSubstr("did you mean 'name'?"));
  EXPECT_THAT(refusal("cancel now=1"), HasSubstr("'cancel' takes no arguments"));
}

TEST(Parsing, a_value_outside_the_choices_is_refused) {
  EXPECT_THAT(refusal("run type=ful"), HasSubstr("not one of auto, full, incremental; did you mean 'full'?"));
  EXPECT_THAT(refusal("run type="), HasSubstr("not one of"));
}

TEST(Parsing, a_span_of_time_is_checked) {
  const auto command = parse("drain timeout=15m name=d", of_root());
  ASSERT_TRUE(command);
  EXPECT_EQ(command->values.text("timeout"), "15m");
  EXPECT_THAT(parse("drain timeout=soon", of_root()).error().message,
              HasSubstr("timeout='soon' is no span of time; write it as 90s, 15m, 4h or 30d"));
}

TEST(Parsing, malformed_names_are_refused) {
  EXPECT_THAT(refusal("run name=.x"), HasSubstr("name: '.x' starts with a dot"));
  EXPECT_THAT(refusal("run name=a/b"), HasSubstr("'a/b' is no name"));
  EXPECT_THAT(refusal("run by="), HasSubstr("by: a name has 1 to 128 bytes"));
  EXPECT_THAT(refusal("run machines=a,b/c"), HasSubstr("'b/c' is no name"));
  EXPECT_THAT(refusal("run machines=,"), HasSubstr("names nothing"));
}

TEST(Parsing, a_reserved_name_is_refused_for_a_new_object) {
  EXPECT_THAT(refusal("run name=error"), HasSubstr("a fixed file"));
}

TEST(Parsing, an_argument_given_twice_is_refused) {
  EXPECT_EQ(refusal("run name=a name=a"), "'name' is given twice");
}

TEST(Parsing, a_word_without_a_value_is_refused) {
  EXPECT_THAT(refusal("run full"), HasSubstr("write key=value"));
}

TEST(Parsing, more_than_one_line_is_refused) {
  EXPECT_EQ(refusal("run\ncancel\n"), "one write is one command on one line");
  EXPECT_EQ(refusal(std::string_view{"run\0", 4}), "one write is one command on one line");
  EXPECT_THAT(refusal("run\r\n"), HasSubstr("CR LF"));
  EXPECT_THAT(refusal("run by=caf\xe9"), HasSubstr("not UTF-8"));
}

TEST(Parsing, an_empty_command_is_refused) {
  EXPECT_THAT(refusal("\n"), HasSubstr("an empty command"));
  EXPECT_THAT(refusal("  "), HasSubstr("an empty command"));
}

TEST(Listing, the_listing_has_each_verb_with_its_arguments) {
  const std::string text = listing(of_flow());
  EXPECT_THAT(text, HasSubstr("run [type=auto|full|incremental] [machines=A,B] [by=NAME] [bandwidth=SIZE] "
                              "[sample=SHARE] [name=ID]\n"));
  for (const Verb& verb : of_flow()) EXPECT_THAT(text, HasSubstr(verb.word));
}

// Machine m, repository r and flow f, which are defined.
class VerbsTest : public testing::Test {
 protected:
  VerbsTest() { started_.define_all(); }

  Result<> apply(std::string_view line, std::span<const Verb> verbs, Id object) {
    HF_TRY(const ParsedCommand command, parse(line, verbs));
    return command.verb->apply(*started_, object, command.values, {});
  }

  test::StartedEngine started_;
};

TEST_F(VerbsTest, the_verbs_of_a_flow_act_on_it) {
  Engine& engine = *started_;
  const Id flow = *engine.objects().find(ObjectKind::flow, 0, "f");
  const auto apply = [&](std::string_view line) { return this->apply(line, of_flow(), flow); };
  // A backup that has the machine lets the run wait.
  test::SilentSource source(started_.socket());
  ASSERT_TRUE(
      this->apply("backup repository=r", of_machine(), *engine.objects().find(ObjectKind::machine, 0, "m")));
  source.accept_run();
  ASSERT_TRUE(apply("run name=r1 by=cron"));
  const Id execution = *engine.objects().find(ObjectKind::execution, flow, "r1");
  EXPECT_EQ(engine.status().execution(execution, {})->execution.type, ExecutionType::api);
  EXPECT_EQ(apply("run").error().code, EBUSY);
  ASSERT_TRUE(apply("cancel"));
  started_.await([&] { return is_final(engine.status().execution(execution, {})->execution.status); });
  EXPECT_EQ(engine.status().execution(execution, {})->execution.status, RunStatus::cancelled);
  ASSERT_TRUE(apply("disable"));
  EXPECT_FALSE(engine.status().flow(flow, {})->flow.definition.enabled);
  ASSERT_TRUE(apply("enable"));
  EXPECT_TRUE(engine.status().flow(flow, {})->flow.definition.enabled);
}

TEST(Parsing, a_missing_argument_is_refused) {
  const auto refusal_of = [](std::string_view line) { return parse(line, of_repository()).error().message; };
  EXPECT_EQ(refusal_of("import"), "'import' wants file=FILE");
  EXPECT_EQ(refusal_of("import file=/a"), "'import' wants machine=MACHINE");
  EXPECT_EQ(refusal_of("import machine=m file=a.qcow2"), "file='a.qcow2' is no absolute path");
  EXPECT_THAT(listing(of_repository()),
              HasSubstr("import file=FILE machine=MACHINE [disk=DISK] [name=ID]\n"));
}

TEST_F(VerbsTest, import_starts_a_job_for_the_named_disk) {
  Engine& engine = *started_;
  const std::string image = started_ / "a.qcow2";
  const auto directory = test::must(open_directory(started_ / "."));
  test::must(image::write_empty_image(*test::must(directory->create("a.qcow2")), 1 << 20, 65536));
  ASSERT_TRUE(apply("import file=" + image + " machine=m disk=disk-0 name=i1", of_repository(),
                    *engine.objects().find(ObjectKind::repository, 0, "r")));
  const auto job = engine.status().job(*engine.objects().find(ObjectKind::job, 0, "i1"), {});
  EXPECT_EQ(job->job.type, JobType::import);
  EXPECT_THAT(job->job.metadata, HasSubstr(image));
  EXPECT_THAT(job->job.metadata, HasSubstr("disk-0"));
}

}  // namespace
}  // namespace holdfast::verbs
