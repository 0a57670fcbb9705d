// The schema keeps law 1 and laws of its own, each by one constraint: tried on the database as the migrations
// make it, and on one whose schema lacks just that constraint. What has no law here is found.
#include <regex>
#include <set>

#include "tests/catalog/schema_laws.h"

namespace holdfast::db {
namespace {

// Whatever it is, it is undone.
std::string outcome(Sample& sample, const Law& law) {
  const auto undone = must(Transaction::begin(*sample.connection, Transaction::Kind::write));
  const auto done = sample.connection->execute_script(law.change);
  if (!done) return done.error().kind == law.refused_as ? "kept" : "refused, but: " + done.error().message;
  if (law.refused_as) return "accepted";
  const auto answer = sample.column(law.query);
  return answer == std::vector{law.answer} ? "kept" : "another answer";
}

class SchemaLaws : public testing::TestWithParam<Group> {};

TEST_P(SchemaLaws, AreEachKeptByTheirConstraintAlone) {
  Sample whole(schema_text());
  for (const Law& law : GetParam().laws) {
    EXPECT_EQ(outcome(whole, law), "kept") << law.change;
    Sample lacking(without(law.constraint));
    EXPECT_NE(outcome(lacking, law), "kept") << "without " << law.constraint.key << ": " << law.change;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, SchemaLaws, testing::ValuesIn(law_groups()),
                         [](const auto& group) { return std::string(group.param.name); });

std::set<std::string> keys_of_laws() {
  std::set<std::string> keys;
  for (const Group& group : law_groups())
    for (const Law& law : group.laws) keys.insert(law.constraint.key);
  return keys;
}

class Schema : public testing::Test {
 protected:
  // The tables that hold more than the words of an enumeration.
  std::vector<std::string> tables() {
    return sample.column(R"sql(
      SELECT name FROM sqlite_schema AS found
      WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'schema_migrations'
        AND NOT EXISTS (SELECT 1 FROM pragma_table_info(found.name) WHERE name = 'word'))sql");
  }

  Sample sample{schema_text()};
  const std::set<std::string> keys = keys_of_laws();
};

TEST_F(Schema, HasNoCheckWithoutALaw) {
  const std::string schema = schema_text();
  for (const std::string& table : tables()) {
    const auto [begin, end] = section_of(schema, table);
    const std::string section = schema.substr(begin, end - begin);
    const std::regex named("CONSTRAINT (\\w+)");
    for (std::sregex_iterator it(section.begin(), section.end(), named), none; it != none; ++it)
      EXPECT_TRUE(keys.contains("check " + table + " " + it->str(1))) << table << ": " << it->str();
    const std::regex unnamed("[^)\\w]\\s*\\n\\s+CHECK");
    EXPECT_FALSE(std::regex_search(section, unnamed)) << table << " has a CHECK without a name";
  }
}

TEST_F(Schema, HasNoUniqueKeyWithoutALaw) {
  // What keys of several columns refer to: not laws of their own, since an id is in each of them.
  const std::set<std::string> targets = {"chains machine_id, repository_id, id",
                                         "layers chain_id, disk_id, id", "layers disk_id, id",
                                         "points machine_id, id"};
  for (const std::string& table : tables())
    for (const std::string& index :
         sample.column(fmt::format("SELECT name FROM pragma_index_list('{}') WHERE \"unique\" = 1", table))) {
      const auto columns = sample.column(fmt::format(
          "SELECT group_concat(name, ', ') FROM (SELECT name FROM pragma_index_info('{}') ORDER BY seqno)",
          index));
      const std::string key = table + " " + columns.at(0);
      EXPECT_TRUE(keys.contains("unique " + key) || targets.contains(key)) << key;
    }
}

TEST_F(Schema, HasNoReferenceWithoutALaw) {
  for (const std::string& table : tables()) {
    const auto references = sample.column(fmt::format(R"sql(
      SELECT group_concat("from", ', ') || '|' || on_delete
      FROM (SELECT * FROM pragma_foreign_key_list('{}') ORDER BY id, seq) GROUP BY id)sql",
                                                      table));
    for (const std::string& found : references) {
      const std::string columns = found.substr(0, found.find('|'));
      EXPECT_TRUE(keys.contains("reference " + table + " " + columns)) << table << " " << columns;
      if (!found.ends_with("|NO ACTION")) {
        EXPECT_TRUE(keys.contains("on delete " + table + " " + columns)) << table << " " << columns;
      }
    }
  }
}

// A deletion looks up who refers to the row: without an index it would read the whole table.
TEST_F(Schema, HasAnIndexForEveryReferenceToARowThatCanGo) {
  for (const std::string& table : tables())
    for (const std::string& column : sample.column(fmt::format(R"sql(
           SELECT "from" FROM pragma_foreign_key_list('{}') WHERE seq = 0 AND "to" <> 'word')sql",
                                                               table))) {
      const auto indexed = sample.column(fmt::format(R"sql(
        SELECT count(*) FROM pragma_index_list('{}') AS list, pragma_index_info(list.name) AS info
        WHERE info.seqno = 0 AND info.name = '{}')sql",
                                                     table, column));
      EXPECT_NE(indexed.at(0), "0") << table << "." << column;
    }
}

TEST_F(Schema, IsStrictEverywhere) {
  EXPECT_EQ(sample.column("SELECT count(*) FROM pragma_table_list "
                          "WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'"),
            std::vector<std::string>{"0"});
}

TEST_F(Schema, AllowsNothingToBeAbsentButWhatMay) {
  const std::set<std::string> may_be_absent = {"machines.source_id",
                                               "machines.domain",
                                               "machines.objective",
                                               "disks.source_identity",
                                               "disks.uri",
                                               "disks.bitmap",
                                               "disks.path",
                                               "repositories.bandwidth",
                                               "machines.bandwidth",
                                               "flows.group_id",
                                               "flows.from_repository_id",
                                               "flows.schedule_id",
                                               "flows.policy_id",
                                               "flows.after_flow_id",
                                               "flows.only_if",
                                               "credentials.description",
                                               "sources.description",
                                               "sources.uri",
                                               "sources.credential_id",
                                               "sources.bandwidth",
                                               "groups.description",
                                               "schedules.description",
                                               "schedules.cron",
                                               "schedules.every",
                                               "schedules.next_at",
                                               "policies.description",
                                               "policies.keep_last",
                                               "policies.keep_hourly",
                                               "policies.keep_daily",
                                               "policies.keep_weekly",
                                               "policies.keep_monthly",
                                               "policies.keep_yearly",
                                               "policies.full_every",
                                               "policies.full_every_points",
                                               "policies.full_every_period",
                                               "policies.verify",
                                               "policies.boot_check_every",
                                               "policies.bandwidth",
                                               "jobs.chain_id",
                                               "points.verified_at",
                                               "points.verified_level",
                                               "points.verified_result",
                                               "point_disks.qcow2_bytes",
                                               "point_disks.bytes_read",
                                               "point_disks.content_sha256",
                                               "point_disks.source_identity",
                                               "schedule_occurrences.reason",
                                               "schedule_occurrences.execution_id",
                                               "copies.flow_id",
                                               "copies.execution_id",
                                               "copy_disks.sums_sha256",
                                               "pins.pinned_by",
                                               "pins.until",
                                               "pins.why",
                                               "verdicts.text",
                                               "log_lines.job_id",
                                               "log_lines.execution_id",
                                               "machines.description",
                                               "machines.socket",
                                               "disks.node",
                                               "disks.position",
                                               "disks.capacity",
                                               "repositories.description",
                                               "repositories.path",
                                               "repositories.marker",
                                               "flows.description",
                                               "flows.machine_id",
                                               "flows.repository_id",
                                               "executions.started_by",
                                               "executions.reason",
                                               "executions.message",
                                               "executions.started_at",
                                               "executions.completed_at",
                                               "jobs.operation",
                                               "jobs.owner",
                                               "jobs.execution_id",
                                               "jobs.machine_id",
                                               "jobs.repository_id",
                                               "jobs.parent_job_id",
                                               "jobs.flow_id",
                                               "jobs.reason",
                                               "jobs.message",
                                               "jobs.started_at",
                                               "jobs.completed_at",
                                               "layers.parent_layer_id",
                                               "points.chain_id",
                                               "points.parent_point_id",
                                               "points.execution_id",
                                               "points.flow_id",
                                               "layers.merging_image_id",
                                               "layers.merging_onto",
                                               "machines.retired_at",
                                               "machines.retired_keep",
                                               "machines.prune_warning",
                                               "points.job_id",
                                               "points.flow",
                                               "points.execution",
                                               "points.full_reason",
                                               "point_disks.full_reason",
                                               "point_disks.change_id",
                                               "point_disks.sums_sha256",
                                               "leftovers.detail",
                                               "events.object",
                                               "events.uid",
                                               "events.gid",
                                               "events.pid",
                                               "events.reason",
                                               "events.execution",
                                               "events.job",
                                               "events.owner_uid",
                                               "events.owner_gid",
                                               "events.owner_mode"};
  std::set<std::string> seen;
  for (const std::string& table : tables())
    for (const std::string& column :
         sample.column(fmt::format("SELECT name FROM pragma_table_info('{}') WHERE name <> 'id'", table))) {
      const std::string name = table + "." + column;
      seen.insert(name);
      if (may_be_absent.contains(name)) continue;
      const auto done =
          sample.connection->execute_script(fmt::format("UPDATE {} SET {} = NULL", table, column));
      ASSERT_FALSE(done) << name;
      EXPECT_EQ(done.error().kind, Kind::not_null) << name;
    }
  for (const std::string& name : may_be_absent) EXPECT_TRUE(seen.contains(name)) << name << " is not there";
}

TEST_F(Schema, TakesNoNameThatIsNotOne) {
  for (const std::string& name :
       {std::string(""), std::string("."), std::string(".x"), std::string("a/b"), std::string("a b"),
        std::string("ä"), std::string("a\n"), std::string(129, 'a')}) {
    Statement update = must(sample.connection->prepare("UPDATE flows SET name = :name WHERE id = 104"));
    EXPECT_FALSE(update.bind(":name", name).run()) << name;
  }
  for (const std::string& name : {std::string("a"), std::string("-._"), std::string(128, 'Z')}) {
    Statement update = must(sample.connection->prepare("UPDATE flows SET name = :name WHERE id = 104"));
    EXPECT_TRUE(update.bind(":name", name).run()) << name;
  }
}

}  // namespace
}  // namespace holdfast::db
