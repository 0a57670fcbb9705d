// The schema keeps law 1 and laws of its own, each by one constraint: tried on the database as the migrations
// make it, and on one whose schema lacks just that constraint. What has no law here is found.
#include <regex>
#include <set>

#include "tests/catalog/schema_laws.h"

namespace holdfast::db {
namespace {

// Tries the law's change and undoes it.
std::string outcome(Sample& sample, const Law& law) {
  const auto undone = must(Transaction::begin(*sample.connection, Transaction::Kind::write));
  const auto done = sample.connection->execute_script(law.change);
  if (!done) return done.error().kind == law.refused_as ? "kept" : "refused, but: " + done.error().message;
  if (law.refused_as) return "accepted";
  const auto answer = sample.column(law.query);
  return answer == std::vector{law.answer} ? "kept" : "another answer";
}

class SchemaLaws : public testing::TestWithParam<Group> {};

TEST_P(SchemaLaws, are_each_kept_by_their_constraint_alone) {
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

TEST_F(Schema, has_no_check_without_a_law) {
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

TEST_F(Schema, has_no_unique_key_without_a_law) {
  // Targets of keys of several columns: not laws of their own, since an id is in each of them.
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

TEST_F(Schema, has_no_reference_without_a_law) {
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
TEST_F(Schema, has_an_index_for_every_reference_to_a_row_that_can_go) {
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

TEST_F(Schema, is_strict_everywhere) {
  EXPECT_EQ(sample.column("SELECT count(*) FROM pragma_table_list "
                          "WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'"),
            std::vector<std::string>{"0"});
}

TEST_F(Schema, allows_only_listed_columns_to_be_absent) {
  const std::set<std::string> may_be_absent = {"boot_checks.reason",
                                               "boot_checks.screenshot",
                                               "copies.execution_id",
                                               "copies.flow_id",
                                               "copies.sequence",
                                               "copy_disks.sums_sha256",
                                               "disks.capacity",
                                               "disks.position",
                                               "disks.source_identity",
                                               "events.execution",
                                               "events.gid",
                                               "events.job",
                                               "events.object",
                                               "events.owner_gid",
                                               "events.named",
                                               "events.owner_mode",
                                               "events.owner_uid",
                                               "events.pid",
                                               "events.reason",
                                               "events.uid",
                                               "executions.completed_at",
                                               "executions.gid",
                                               "executions.message",
                                               "executions.pid",
                                               "executions.reason",
                                               "executions.started_at",
                                               "executions.started_by",
                                               "executions.uid",
                                               "flows.after_flow_id",
                                               "flows.definition",
                                               "flows.from_repository_id",
                                               "flows.group_id",
                                               "flows.machine_id",
                                               "flows.policy_id",
                                               "flows.repository_id",
                                               "flows.schedule_id",
                                               "groups.definition",
                                               "identity.recovered_at",
                                               "jobs.chain_id",
                                               "jobs.completed_at",
                                               "jobs.execution_id",
                                               "jobs.flow_id",
                                               "jobs.machine_id",
                                               "jobs.message",
                                               "jobs.operation",
                                               "jobs.owner",
                                               "jobs.parent_job_id",
                                               "jobs.reason",
                                               "jobs.repository_id",
                                               "jobs.started_at",
                                               "layers.merging_image_id",
                                               "layers.merging_onto",
                                               "layers.parent_layer_id",
                                               "layers.read_at",
                                               "leftovers.detail",
                                               "log_lines.execution_id",
                                               "log_lines.job_id",
                                               "machines.boot_checked_at",
                                               "machines.definition",
                                               "machines.last_verified_at",
                                               "machines.proven_to_boot_at",
                                               "machines.prune_warning",
                                               "machines.retired_at",
                                               "machines.retired_keep",
                                               "pins.gid",
                                               "pins.pid",
                                               "pins.pinned_by",
                                               "pins.uid",
                                               "pins.until",
                                               "pins.why",
                                               "point_disks.bytes_read",
                                               "point_disks.change_id",
                                               "point_disks.content_sha256",
                                               "point_disks.full_reason",
                                               "point_disks.qcow2_bytes",
                                               "point_disks.source_identity",
                                               "point_disks.sums_sha256",
                                               "points.chain_id",
                                               "points.execution",
                                               "points.execution_id",
                                               "points.flow",
                                               "points.flow_id",
                                               "points.full_reason",
                                               "points.job_id",
                                               "points.parent_point_id",
                                               "points.sequence",
                                               "points.verified_at",
                                               "points.verified_level",
                                               "points.verified_result",
                                               "policies.definition",
                                               "repositories.definition",
                                               "repositories.last_verified_at",
                                               "repositories.marker",
                                               "repositories.missed_commits",
                                               "schedule_occurrences.execution_id",
                                               "schedule_occurrences.reason",
                                               "schedules.definition",
                                               "schedules.next_at",
                                               "verdicts.gid",
                                               "verdicts.pid",
                                               "verdicts.text",
                                               "verdicts.uid"};
  std::set<std::string> seen;
  for (const std::string& table : tables())
    for (const std::string& column : sample.column(fmt::format(
             "SELECT name FROM pragma_table_info('{}') WHERE name NOT IN ('id', 'point_id') OR pk = 0",
             table))) {
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

TEST_F(Schema, takes_no_name_that_is_not_one) {
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
