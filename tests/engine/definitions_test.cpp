// Law 10: definitions are written into each repository, and one that was away is brought up to date.
// Repositories are real directories.
#include "engine/repository/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "catalog/stores/flows.h"
#include "catalog/stores/groups.h"
#include "catalog/stores/machines.h"
#include "catalog/stores/policies.h"
#include "catalog/stores/repositories.h"
#include "catalog/stores/schedules.h"
#include "tests/lib/new_catalog.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::repository {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::IsSupersetOf;
using testing::UnorderedElementsAre;

constexpr Time kNow{std::chrono::seconds{1'800'000'000}};

class DefinitionsTest : public testing::Test {
 protected:
  DefinitionsTest() : catalog(test::open_new_catalog(state / "catalog.sqlite")) {
    fs::create_directory(state / "a");
    fs::create_directory(state / "b");
    add_repository("a");
    write([](db::Connection& db) -> Result<> {
      HF_TRY(const Machine machine, Machines(db).add("m", {.uid = 1000, .gid = 100, .mode = 0700}, kNow));
      MachineDefinition definition;
      definition.driver = "qmp", definition.fields = R"({"socket":"/run/m.qmp"})";
      definition.disks = {{"disk-0", R"({"node":"node0"})"}};
      HF_CHECK(Machines(db).define(machine.id, definition, kNow));
      HF_TRY(const Flow flow, Flows(db).add("nightly", {}, kNow));
      return Flows(db).define(flow.id, {.target = "machines/m", .repository = "a"}, kNow);
    });
  }

  void add_repository(const std::string& name) {
    const auto marker = Place::initialise(state / name);
    ASSERT_TRUE(marker) << marker.error().message;
    write([&](db::Connection& db) -> Result<> {
      HF_TRY(const Repository repository, Repositories(db).add(name, {}, kNow));
      HF_CHECK(Repositories(db).define(repository.id, {.path = state / name}, kNow));
      return Repositories(db).set_marker(repository.id, marker->id);
    });
  }
  void write(const std::function<Result<>(db::Connection&)>& change) {
    const auto done = catalog->write(change);
    ASSERT_TRUE(done) << done.error().message;
  }
  template <class Store>
  Id id_of(const std::string& name) {
    return *catalog->read([&](db::Connection& db) { return Store(db).resolve(name); });
  }
  void settle() {
    definitions.changed();
    definitions.settle();
  }
  // Returns the paths of all definition files, like "flows/nightly.json".
  std::vector<std::string> files(const std::string& repository) {
    std::vector<std::string> found;
    const fs::path root = state / (repository + "/definitions");
    if (!fs::exists(root)) return found;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file()) found.push_back(fs::relative(entry.path(), root));
    return found;
  }
  std::string text(const std::string& repository, const std::string& file) {
    std::ifstream stream(state / (repository + "/definitions/" + file));
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  Json json(const std::string& file) { return Json::parse(text("a", file)); }

  test::TemporaryDirectory state;
  std::unique_ptr<Catalog> catalog;
  Shelf shelf;
  Definitions definitions{*catalog, shelf};
};

TEST_F(DefinitionsTest, everything_defined_is_written_into_the_repository) {
  settle();
  EXPECT_THAT(files("a"), UnorderedElementsAre("revision", "machines/m.json", "flows/nightly.json",
                                               "repositories/a.json"));
  const Json machine = json("machines/m.json");
  EXPECT_EQ(machine["kind"], "machine");
  EXPECT_EQ(machine["name"], "m");
  EXPECT_THAT(machine["key"].get<std::string>(), testing::StartsWith("m-"));
  EXPECT_EQ(machine["owner"], (Json{{"uid", 1000}, {"gid", 100}, {"mode", "0700"}}));
  EXPECT_EQ(machine["definition"]["socket"], "/run/m.qmp");
  EXPECT_EQ(json("flows/nightly.json")["definition"]["target"], "machines/m");
}

TEST_F(DefinitionsTest, each_kind_of_object_has_its_folder) {
  write([](db::Connection& db) -> Result<> {
    HF_TRY(const Group group, Groups(db).add("g", {}, kNow));
    HF_CHECK(Groups(db).define(group.id, {}, kNow));
    HF_TRY(const Id machine, Machines(db).resolve("m"));
    HF_CHECK(Groups(db).add_member(group.id, machine, kNow));
    HF_TRY(const Schedule schedule, Schedules(db).add("h", {}, kNow));
    HF_CHECK(Schedules(db).define(schedule.id, {.cron = "0 2 * * *"}, kNow));
    HF_TRY(const Policy policy, Policies(db).add("p", {}, kNow));
    return Policies(db).define(policy.id, {.keep_last = 7}, kNow);
  });
  settle();
  EXPECT_THAT(files("a"), IsSupersetOf({"groups/g.json", "schedules/h.json", "policies/p.json"}));
  EXPECT_EQ(json("groups/g.json")["members"], Json::parse(R"([{"machine":"m","enabled":true}])"));
  EXPECT_EQ(json("policies/p.json")["definition"]["keep_last"], 7);
}

TEST_F(DefinitionsTest, an_object_without_definition_is_not_written) {
  write([](db::Connection& db) -> Result<> {
    HF_CHECK(Flows(db).add("draft", {}, kNow));
    return {};
  });
  settle();
  EXPECT_FALSE(fs::exists(state / "a/definitions/flows/draft.json"));
}

TEST_F(DefinitionsTest, a_new_name_moves_the_file_and_changes_those_that_name_it) {
  settle();
  write([&](db::Connection& db) { return Machines(db).rename(id_of<Machines>("m"), "web", kNow); });
  settle();
  EXPECT_THAT(files("a"), UnorderedElementsAre("revision", "machines/web.json", "flows/nightly.json",
                                               "repositories/a.json"));
  EXPECT_EQ(json("flows/nightly.json")["definition"]["target"], "machines/web");
}

TEST_F(DefinitionsTest, a_new_owner_is_written) {
  write([&](db::Connection& db) {
    return Flows(db).set_ownership(id_of<Flows>("nightly"), {.uid = 7, .gid = 8, .mode = 0750}, kNow);
  });
  settle();
  EXPECT_EQ(json("flows/nightly.json")["owner"]["uid"], 7);
}

TEST_F(DefinitionsTest, a_removed_object_loses_its_file) {
  settle();
  write([&](db::Connection& db) { return Flows(db).remove(id_of<Flows>("nightly")); });
  settle();
  EXPECT_THAT(files("a"), UnorderedElementsAre("revision", "machines/m.json", "repositories/a.json"));
}

TEST_F(DefinitionsTest, only_changed_definitions_are_written_again) {
  settle();
  std::ofstream(state / "a/definitions/flows/nightly.json") << "as it was";
  write([&](db::Connection& db) { return Machines(db).rename(id_of<Machines>("m"), "m", kNow); });
  // Renaming the machine changes the flow as well, because the flow names it.
  settle();
  EXPECT_NE(text("a", "flows/nightly.json"), "as it was");
  std::ofstream(state / "a/definitions/flows/nightly.json") << "as it was";
  settle();
  EXPECT_EQ(text("a", "flows/nightly.json"), "as it was");
}

TEST_F(DefinitionsTest, a_repository_that_was_away_is_brought_up_to_date_when_it_is_back) {
  settle();
  fs::rename(state / "a", state / "elsewhere");
  write([&](db::Connection& db) { return Machines(db).rename(id_of<Machines>("m"), "web", kNow); });
  settle();
  fs::rename(state / "elsewhere", state / "a");
  settle();
  EXPECT_THAT(files("a"), UnorderedElementsAre("revision", "machines/web.json", "flows/nightly.json",
                                               "repositories/a.json"));
}

TEST_F(DefinitionsTest, a_repository_that_is_away_hinders_no_other) {
  add_repository("b");
  fs::remove_all(state / "a");
  settle();
  EXPECT_THAT(files("b"), IsSupersetOf({"machines/m.json", "repositories/a.json", "repositories/b.json"}));
}

TEST_F(DefinitionsTest, a_new_repository_gets_all_definitions) {
  settle();
  add_repository("b");
  settle();
  EXPECT_THAT(files("b"), UnorderedElementsAre("revision", "machines/m.json", "flows/nightly.json",
                                               "repositories/a.json", "repositories/b.json"));
}

TEST_F(DefinitionsTest, a_write_cut_off_before_the_revision_is_repeated) {
  settle();
  const std::string revision = text("a", "revision");
  write([&](db::Connection& db) { return Flows(db).remove(id_of<Flows>("nightly")); });
  settle();
  std::ofstream(state / "a/definitions/revision") << revision;
  std::ofstream(state / "a/definitions/flows/nightly.json") << "as it was";
  settle();
  EXPECT_FALSE(fs::exists(state / "a/definitions/flows/nightly.json"));
}

TEST_F(DefinitionsTest, the_revision_of_another_catalog_is_ignored) {
  settle();
  const Json theirs{{"catalog", "another"}, {"revision", std::int64_t{1} << 52}};
  fs::remove(state / "a/definitions/machines/m.json");
  for (const std::string& revision : {theirs.dump(), std::string{"damaged"}, std::string{}}) {
    std::ofstream(state / "a/definitions/revision") << revision;
    settle();
    EXPECT_TRUE(fs::remove(state / "a/definitions/machines/m.json")) << revision;
  }
}

// Law 12: the catalog may be an older copy.
TEST_F(DefinitionsTest, a_repository_whose_count_cant_be_read_stays_unchanged) {
  settle();
  std::ofstream(state / "a/sequence.json") << "damaged";
  std::ofstream(state / "a/INDEX.txt") << "as it was";
  write([&](db::Connection& db) { return Machines(db).rename(id_of<Machines>("m"), "web", kNow); });
  settle();
  EXPECT_THAT(files("a"), testing::Contains("machines/m.json"));
  std::ifstream index(state / "a/INDEX.txt");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(index), {}), "as it was");
}

TEST_F(DefinitionsTest, a_read_only_repository_stays_unchanged) {
  write([&](db::Connection& db) {
    return Repositories(db).define(id_of<Repositories>("a"), {.path = state / "a", .read_only = true}, kNow);
  });
  settle();
  EXPECT_THAT(files("a"), testing::IsEmpty());
}

TEST_F(DefinitionsTest, a_repository_leased_by_another_daemon_stays_unchanged_until_that_ends) {
  const auto marker =
      catalog->read([&](db::Connection& db) { return Repositories(db).get(*Repositories(db).resolve("a")); });
  auto other = *Place::open(state / "a", marker->marker);
  settle();
  EXPECT_THAT(files("a"), testing::IsEmpty());
  other.reset();
  settle();
  EXPECT_THAT(files("a"), testing::Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace holdfast::repository
