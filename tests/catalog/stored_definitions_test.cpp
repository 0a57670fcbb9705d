// Definitions in the catalog: every field that a shape has is stored and read back, with no word of it in a
// store or a migration.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "catalog/model/definition_json.h"
#include "tests/catalog/fixture.h"
#include "tests/lib/random.h"

namespace holdfast {
namespace {

using Json = nlohmann::ordered_json;
using testing::HasSubstr;

// Values that some field or other accepts; h is the name of an object of every kind.
const Json& pool() {
  static const Json values = Json::parse(R"json([
    null, true, false, 0, 1, 2, 5, 30, 100, 4096, 65536, 1048576, "", "7d", "90s", "4h", "64K", "2M", "2G", "10%", "h",
    "machines/h", "groups/h", "/srv/other", "said \"so\"\nžluť", "Europe/Berlin", "0 3 * * *", "agent", "serial:a *b", [], ["a"],
    ["a", "b \"c\""], ["failure https://example.org/x"], {}, {"beads": [1, {"rows": null}]},
    [{"name": "b", "fields": {"row": 2}}, {"name": "a", "fields": {}}]])json");
  return values;
}

// Appends the words of all enumerations in a schema.
void append_words(const Json& schema, std::vector<Json>& values) {
  if (!schema.is_structured()) return;
  for (const auto& [name, value] : schema.items()) {
    if (name == "enum" && value.is_array()) values.insert(values.end(), value.begin(), value.end());
    append_words(value, values);
  }
}

class StoredDefinitions : public CatalogTest {
 protected:
  StoredDefinitions() {
    write([](db::Connection& db) {
      must(Machines(db).add("h", {}, at(0)));
      must(Repositories(db).add("h", {}, at(0)));
      must(Groups(db).add("h", {}, at(0)));
      must(Schedules(db).add("h", {}, at(0)));
      must(Policies(db).add("h", {}, at(0)));
      must(Flows(db).add("h", {}, at(0)));
    });
  }

  // Defines the object as the document says and reads it back; false: the document is refused.
  template <class Definition, class Parse, class Define, class Get>
  bool survives(const Json& document, Parse parse, Define define, Get get) {
    const auto definition = parse(document.dump());
    if (!definition) return false;
    const auto read = catalog->write([&](db::Connection& db) -> Result<Definition> {
      HF_CHECK(define(db, *definition));
      return get(db);
    });
    if (!read) {
      EXPECT_EQ(read.error().code, ENOENT) << read.error().message << ": " << document.dump();
      return false;
    }
    EXPECT_EQ(*read, *definition) << document.dump();
    return true;
  }

  // Changes random fields of the documents to random values. Every document that is accepted has to survive,
  // and each field has to have had several values in the end.
  template <class Definition, class Parse, class Print, class Define, class Get>
  void all_survive(const std::vector<Json>& documents, const Json& schema, Parse parse, Print print,
                   Define define, Get get) {
    std::map<std::string, std::set<std::string>> had;
    const auto note = [&](const Json& document) {
      const Json printed = Json::parse(print(*parse(document.dump())));
      for (const auto& [field, value] : printed.items()) had[field].insert(value.dump());
    };
    for (const Json& document : documents) note(document);
    std::vector<std::string> fields;
    for (const auto& [field, values] : had) fields.push_back(field);
    for (Json document : documents) {
      std::ranges::shuffle(fields, random_.engine());
      for (const std::string& field : fields) {
        std::vector<Json> values(pool().begin(), pool().end());
        if (schema.contains(field)) append_words(schema[field], values);
        std::ranges::shuffle(values, random_.engine());
        for (const Json& value : values) {
          Json changed = document;
          changed[field] = value;
          if (!survives<Definition>(changed, parse, define, get)) continue;
          document = std::move(changed);
          note(document);
        }
      }
    }
    for (const auto& [field, values] : had)
      EXPECT_GT(values.size(), 1u) << "no value in the pool is right for " << field;
  }

  // The same for an object of a store, with its config.json.
  template <class Store, class Definition>
  void all_survive(Id id, const std::vector<const char*>& texts) {
    std::vector<Json> documents;
    for (const char* text : texts) documents.push_back(Json::parse(text));
    all_survive<Definition>(
        documents, Json::parse(definition_schema<Definition>())["properties"], parse_definition<Definition>,
        print_definition<Definition>,
        [id](db::Connection& db, const Definition& definition) {
          return Store(db).define(id, definition, at(2));
        },
        [id](db::Connection& db) -> Result<Definition> {
          HF_TRY(const auto object, Store(db).get(id));
          return object.definition;
        });
  }

  std::string text(const char* query) {
    return read([&](db::Connection& db) {
      db::Statement found = must(db.prepare(query));
      EXPECT_TRUE(must(found.step()));
      return found.text(0);
    });
  }

  template <class Store>
  Id named_h() {
    return read([](db::Connection& db) { return must(Store(db).resolve("h")); });
  }

  test::Random random_;
};

TEST_F(StoredDefinitions, every_field_of_a_repository_survives) {
  all_survive<Repositories, RepositoryDefinition>(named_h<Repositories>(), {R"({"path":"/srv/h"})"});
}

TEST_F(StoredDefinitions, every_field_of_a_flow_survives) {
  all_survive<Flows, FlowDefinition>(
      flow, {R"({"target":"machines/m","repository":"r"})",
             R"({"target":"machines/m","repository":"r","type":"replication","from":"h"})"});
}

TEST_F(StoredDefinitions, every_field_of_a_group_survives) {
  all_survive<Groups, GroupDefinition>(named_h<Groups>(), {"{}"});
}

TEST_F(StoredDefinitions, every_field_of_a_schedule_survives) {
  all_survive<Schedules, ScheduleDefinition>(named_h<Schedules>(),
                                             {R"({"cron":"0 2 * * *"})", R"({"every":"1h"})"});
}

TEST_F(StoredDefinitions, every_field_of_a_policy_survives) {
  all_survive<Policies, PolicyDefinition>(named_h<Policies>(), {"{}"});
}

TEST_F(StoredDefinitions, every_setting_survives) {
  all_survive<SettingsDefinition>(
      {Json::object()}, Json::parse(definition_schema<SettingsDefinition>())["properties"],
      parse_definition<SettingsDefinition>, print_definition<SettingsDefinition>,
      [](db::Connection& db, const SettingsDefinition& definition) {
        return SettingsStore(db).define(definition, at(2));
      },
      [](db::Connection& db) -> Result<SettingsDefinition> {
        HF_TRY(const Settings settings, SettingsStore(db).get());
        return settings.definition;
      });
}

// A machine is parsed and printed by its driver's shape, which the catalog does not know: here by the stored
// one.
TEST_F(StoredDefinitions, every_field_of_a_machine_survives_whatever_its_driver) {
  all_survive<MachineDefinition>(
      {Json::parse(stored_text(a_machine()))}, Json::object(), stored_definition<MachineDefinition>,
      [](const MachineDefinition& definition) { return stored_text(definition); },
      [this](db::Connection& db, const MachineDefinition& definition) {
        return Machines(db).define(machine, definition, at(2));
      },
      [this](db::Connection& db) -> Result<MachineDefinition> {
        HF_TRY(const Machine found, Machines(db).get(machine));
        return found.definition;
      });
}

TEST_F(StoredDefinitions, references_are_in_columns_and_not_in_the_text) {
  const Json stored = Json::parse(text("SELECT definition FROM flows WHERE name = 'f'"));
  for (const char* field : {"target", "repository", "from", "schedule", "policy", "after"})
    EXPECT_FALSE(stored.contains(field)) << field;
  EXPECT_TRUE(stored.contains("timeout"));
}

TEST_F(StoredDefinitions, columns_follow_the_text) {
  FlowDefinition definition = a_flow();
  definition.enabled = false, definition.after_when = AfterWhen::always;
  write([&](db::Connection& db) { must(Flows(db).define(flow, definition, at(2))); });
  EXPECT_EQ(text("SELECT enabled FROM flows WHERE name = 'f'"), "0");
  EXPECT_EQ(text("SELECT after_when FROM flows WHERE name = 'f'"), "always");
  EXPECT_EQ(text("SELECT path FROM repositories WHERE name = 'r'"), "/srv/backup");
  EXPECT_EQ(text("SELECT complete FROM repositories WHERE name = 'h'"), "0");
}

TEST_F(StoredDefinitions, a_text_of_another_version_is_read_as_far_as_its_fields_are_known) {
  const Id policy = named_h<Policies>();
  write([&](db::Connection& db) {
    must(db.execute_script(
        R"(UPDATE policies SET definition = '{"keep_last":3,"later":[1]}' WHERE name = 'h')"));
    EXPECT_EQ(must(Policies(db).get(policy)).definition, PolicyDefinition{.keep_last = 3});
  });
}

TEST_F(StoredDefinitions, a_text_that_is_wrong_is_refused_by_the_name_of_its_object) {
  const Id policy = named_h<Policies>();
  const Error error = refused([&](db::Connection& db) -> Result<Policy> {
    HF_CHECK(db.execute_script(R"(UPDATE policies SET definition = '{"keep_last":"x"}' WHERE name = 'h')"));
    return Policies(db).get(policy);
  });
  EXPECT_THAT(error.message, HasSubstr("the stored definition of policy 'h': field \"keep_last\" is \"x\""));
}

}  // namespace
}  // namespace holdfast
