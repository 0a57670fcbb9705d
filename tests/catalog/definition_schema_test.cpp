// The JSON Schema beside a config.json says what the parser does, by the word of an independent validator.
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catalog/model/definition_json.h"
#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

TEST(DefinitionSchema, HasEveryFieldWithItsDescriptionAndDefault) {
  const Json schema = Json::parse(definition_schema<RepositoryDefinition>());
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["required"], Json({"path"}));
  const Json printed = Json::parse(print_definition(RepositoryDefinition{}));
  for (const auto& [name, value] : printed.items()) {
    ASSERT_TRUE(schema["properties"].contains(name)) << name;
    EXPECT_NE(schema["properties"][name].value("description", ""), "") << name;
    if (name != "path") {
      EXPECT_EQ(schema["properties"][name]["default"], value) << name;
    }
  }
}

// Documents that both have to judge alike.
const char* const kMachines[] = {
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}]})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":["x","y"],"description":"z"})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":["x","x"]})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":[""]})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"tags":"x"})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"more":1})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":"required"})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":"maybe"})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b"}],"quiesce":null})",
    R"({"driver":"qmp","socket":"s","disks":[{"name":"a","node":"b"}]})",
    R"({"driver":"nbd","socket":"/s","disks":[{"name":"a","node":"b"}]})",
    R"({"driver":"qmp","disks":[{"name":"a","node":"b"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","node":"b"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h:10809/x?tls=1"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbds://u@[::1]:1/x/y"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbds://u:p@h/"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"http://h/"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix:///x?socket=/s"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbds+unix://u@/?tls-certificates=/c&socket=/s"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix://x?socket=/s"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix:///x?socket=s"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd+unix:///x"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h/a b"}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","trust_bitmap":true}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","bitmap":"","trust_bitmap":true}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","bitmap":"b","trust_bitmap":true}]})",
    R"({"driver":"nbd","disks":[{"name":"a","uri":"nbd://h","bitmap":"b"}]})",
    R"({"driver":"file","disks":[{"name":"a","path":"/a"}]})",
    R"({"driver":"file","disks":[{"name":"a","path":"a"}]})",
    R"({"driver":"file","disks":[{"name":"a","path":"/a"}],"socket":"/s"})",
    R"({"driver":"abacus","disks":[{"name":"a","path":"/a"}]})",
    R"({"socket":"/s","disks":[{"name":"a","node":"b"}]})",
    R"({"driver":"qmp","socket":"/s","disks":[]})",
    R"({"driver":"qmp","socket":"/s"})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a"}]})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":""}]})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a/b","node":"b"}]})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":".a","node":"b"}]})",
    R"({"driver":"qmp","socket":"/s","disks":[{"name":"a","node":"b","more":1}]})",
    R"({"driver":"qmp","socket":"/s","disks":["a"]})",
};
const char* const kRepositories[] = {
    R"({"path":"/a"})",
    R"({"path":"/a/b.c/..d"})",
    R"({"path":"a"})",
    R"({"path":"/"})",
    R"({"path":"/a/"})",
    R"({"path":"/a//b"})",
    R"({"path":"/a/../b"})",
    R"({"path":"/a/.."})",
    R"({"path":"/a/./b"})",
    R"({"path":5})",
    R"({})",
    R"({"path":"/a","cluster_size":4096})",
    R"({"path":"/a","cluster_size":4096.0})",
    R"({"path":"/a","cluster_size":4096.5})",
    R"({"path":"/a","cluster_size":2048})",
    R"({"path":"/a","cluster_size":"4K"})",
    R"({"path":"/a","cluster_size":"2M"})",
    R"({"path":"/a","cluster_size":"2048K"})",
    R"({"path":"/a","cluster_size":"1K"})",
    R"({"path":"/a","cluster_size":"4M"})",
    R"({"path":"/a","cluster_size":"5000"})",
    R"({"path":"/a","cluster_size":"64k"})",
    R"({"path":"/a","compression":"none"})",
    R"({"path":"/a","compression":"gzip"})",
    R"({"path":"/a","compression_level":22})",
    R"({"path":"/a","compression_level":23})",
    R"({"path":"/a","compression_level":-1})",
    R"({"path":"/a","compression_level":"1"})",
    R"({"path":"/a","compression":"deflate","compression_level":12})",
    R"({"path":"/a","compression":"deflate","compression_level":13})",
    R"({"path":"/a","reserve":"10%"})",
    R"({"path":"/a","reserve":"100%"})",
    R"({"path":"/a","reserve":"101%"})",
    R"({"path":"/a","reserve":"007%"})",
    R"({"path":"/a","reserve":2})",
    R"({"path":"/a","bandwidth":"5M"})",
    R"({"path":"/a","bandwidth":null})",
    R"({"path":"/a","read_only":true})",
    R"({"path":"/a","read_only":1})",
    R"({"path":"/a","description":null})",
};
const char* const kFlows[] = {
    R"({"target":"machines/m","repository":"r"})",
    R"({"target":"machines/m","repository":"r","type":"backup","enabled":false})",
    R"({"target":"machines/","repository":"r"})",
    R"({"target":"groups/g","repository":"r"})",
    R"({"target":"sources/s","repository":"r"})",
    R"({"target":"machines/a/b","repository":"r"})",
    R"({"target":"m","repository":"r"})",
    R"({"target":"machines/m","repository":"a/b"})",
    R"({"target":"machines/m","repository":""})",
    R"({"target":"machines/m"})",
    R"({"repository":"r"})",
    R"({"target":"machines/m","repository":"r","type":"replication"})",
    R"({"target":"machines/m","repository":"r","enabled":"no"})",
};

constexpr const char* kValidator = R"py(
import json, sys
from jsonschema import Draft202012Validator
cases = json.load(open(sys.argv[1]))
for case in cases:
    Draft202012Validator.check_schema(case["schema"])
    validator = Draft202012Validator(case["schema"])
    print(json.dumps([validator.is_valid(json.loads(text)) for text in case["documents"]]))
)py";

TEST(DefinitionSchema, JudgesAsTheParserDoes) {
  const TemporaryDirectory directory;
  const std::string cases = directory / "cases.json", script = directory / "validate.py";
  std::ofstream(script) << kValidator;
  std::ofstream(cases) << Json::array(
      {{{"schema", Json::parse(definition_schema<MachineDefinition>())}, {"documents", kMachines}},
       {{"schema", Json::parse(definition_schema<RepositoryDefinition>())}, {"documents", kRepositories}},
       {{"schema", Json::parse(definition_schema<FlowDefinition>())}, {"documents", kFlows}}});

  const std::unique_ptr<FILE, int (*)(FILE*)> validator(
      popen(fmt::format("/usr/bin/python3 {} {}", script, cases).c_str(), "r"), pclose);
  ASSERT_TRUE(validator);
  std::string said;
  for (int c; (c = std::fgetc(validator.get())) != EOF;) said += static_cast<char>(c);

  std::string expected;
  const auto judge = [&]<class D, std::size_t N>(const char* const(&documents)[N]) {
    Json verdicts = Json::array();
    for (const char* document : documents) verdicts.push_back(parse_definition<D>(document).has_value());
    EXPECT_THAT(verdicts, testing::Contains(true));
    EXPECT_THAT(verdicts, testing::Contains(false));
    std::string line = verdicts.dump(-1);
    for (std::size_t at = 0; (at = line.find(',', at)) != std::string::npos; at += 2)
      line.insert(at + 1, " ");
    expected += line + "\n";
  };
  judge.operator()<MachineDefinition>(kMachines);
  judge.operator()<RepositoryDefinition>(kRepositories);
  judge.operator()<FlowDefinition>(kFlows);
  EXPECT_EQ(said, expected) << "by python3-jsonschema";
}

}  // namespace
}  // namespace holdfast
