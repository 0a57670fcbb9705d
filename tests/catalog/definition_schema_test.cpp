// The JSON Schema beside a config.json judges as the parser does, by the word of an independent validator.
#include "tests/lib/definition_checks.h"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;

TEST(DefinitionSchema, a_schema_has_every_field_with_its_description_and_default) {
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

TEST(DefinitionSchema, the_schema_of_a_repository_judges_as_the_parser_does) {
  expect_judged_alike<RepositoryDefinition>({
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
  });
}

TEST(DefinitionSchema, the_schema_of_a_flow_judges_as_the_parser_does) {
  expect_judged_alike<FlowDefinition>({
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
  });
}

}  // namespace
}  // namespace holdfast
