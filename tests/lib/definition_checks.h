// Checks that the definitions of every kind pass: refusals, root's fields, and the schema by an independent
// validator.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "catalog/model/definition_json.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast {

// The sentence with which a config.json is refused, or "accepted".
template <class D>
std::string refusal(std::string_view text) {
  const auto parsed = parse_definition<D>(text);
  if (parsed) return "accepted";
  EXPECT_EQ(parsed.error().code, EINVAL);
  return parsed.error().message;
}

// Law 19: fields that name the host are root's alone, wherever they stand in a schema; so is where notices
// go, since they are sent from this host.
inline void expect_roots_alone(const nlohmann::ordered_json& schema) {
  static const std::set<std::string> law = {"path", "socket", "uri", "node", "hooks", "only_if", "notify"};
  if (!schema.is_structured()) return;
  for (const auto& [name, value] : schema.items()) {
    if (name == "properties")
      for (const auto& [field, said] : value.items()) {
        if (!said.contains("description")) continue;  // part of a rule
        const bool is_roots = said["description"].get<std::string>().ends_with("Set by root alone.");
        EXPECT_EQ(is_roots, law.contains(field)) << field;
      }
    expect_roots_alone(value);
  }
}

constexpr const char* kValidator = R"py(
import json, sys
from jsonschema import Draft202012Validator
case = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(case["schema"])
validator = Draft202012Validator(case["schema"])
print(json.dumps([validator.is_valid(json.loads(text)) for text in case["documents"]]))
)py";

// Verdicts of python3-jsonschema on the documents: whether the kind's schema accepts each.
template <class D>
std::vector<bool> judged_by_schema(const std::vector<const char*>& documents) {
  using Json = nlohmann::ordered_json;
  const test::TemporaryDirectory directory;
  const std::string cases = directory / "cases.json", script = directory / "validate.py";
  std::ofstream(script) << kValidator;
  std::ofstream(cases) << Json({{"schema", Json::parse(definition_schema<D>())}, {"documents", documents}});
  const std::string command = "/usr/bin/python3 " + script + " " + cases;
  const std::unique_ptr<FILE, int (*)(FILE*)> validator(popen(command.c_str(), "r"), pclose);
  std::string said;
  for (int c; validator && (c = std::fgetc(validator.get())) != EOF;) said += static_cast<char>(c);
  return Json::parse(said).get<std::vector<bool>>();
}

// The parser and the schema judge each document alike; some are right and some wrong.
template <class D>
void expect_judged_alike(const std::vector<const char*>& documents) {
  std::vector<bool> parsed;
  for (const char* document : documents) parsed.push_back(parse_definition<D>(document).has_value());
  EXPECT_THAT(parsed, testing::Contains(true));
  EXPECT_THAT(parsed, testing::Contains(false));
  const auto judged = judged_by_schema<D>(documents);
  ASSERT_EQ(judged.size(), documents.size());
  for (std::size_t i = 0; i < documents.size(); ++i) EXPECT_EQ(judged[i], parsed[i]) << documents[i];
}

}  // namespace holdfast
