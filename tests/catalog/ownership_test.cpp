// Law 19 in the catalog: whose things are, what mode bits give, and what the event log remembers of it.
#include <algorithm>
#include <functional>

#include "catalog/model/rights.h"
#include "catalog/stores/collections.h"
#include "tests/catalog/fixture.h"
#include "tests/lib/definition_checks.h"

namespace holdfast {
namespace {

class OwnershipTest : public CatalogTest {
 protected:
  Event told(std::string object) {
    Event event;
    event.event = "test";
    event.object = std::move(object);
    write([&](db::Connection& db) { must(Events(db).add(event)); });
    return read([&](db::Connection& db) { return must(Events(db).since(last_, 1, {})).at(0); });
  }
  void give(Id id, const Ownership& ownership) {
    write([&](db::Connection& db) { must(Flows(db).set_ownership(id, ownership, at(1))); });
  }

  Id last_ = 0;
};

TEST(Rights, are_read_as_the_kernel_reads_mode_bits) {
  const Ownership its{.uid = 1000, .gid = 50, .mode = 0640};
  const Caller owner{1000, 1, 0}, member{1001, 50, 0}, also{1002, 2, 0, {7, 50}}, stranger{1003, 3, 0, {7}};
  EXPECT_TRUE(may(owner, its, Right::read) && may(owner, its, Right::write));
  EXPECT_FALSE(may(owner, its, Right::search));
  EXPECT_TRUE(may(member, its, Right::read) && may(also, its, Right::read));
  EXPECT_FALSE(may(member, its, Right::write) || may(also, its, Right::write));
  EXPECT_FALSE(may(stranger, its, Right::read));
  EXPECT_TRUE(may(Caller{}, its, Right::search));
  // The owner's bits are the owner's, also where the group has more.
  EXPECT_FALSE(may({1000, 50, 0}, {.uid = 1000, .gid = 50, .mode = 0070}, Right::read));
}

TEST(Rights, to_see_an_object_is_to_read_and_to_search_it) {
  const Caller caller{1000, 1, 0};
  EXPECT_TRUE(may_see(caller, {.uid = 1000, .mode = 0500}));
  EXPECT_FALSE(may_see(caller, {.uid = 1000, .mode = 0400}));
  EXPECT_FALSE(may_see(caller, {.uid = 1000, .mode = 0100}));
}

TEST(Rights, fields_that_law_19_names_are_roots_alone_in_every_schema) {
  expect_roots_alone(nlohmann::ordered_json::parse(definition_schema<RepositoryDefinition>()));
  expect_roots_alone(nlohmann::ordered_json::parse(definition_schema<FlowDefinition>()));
  expect_roots_alone(nlohmann::ordered_json::parse(definition_schema<GroupDefinition>()));
  expect_roots_alone(nlohmann::ordered_json::parse(definition_schema<ScheduleDefinition>()));
  expect_roots_alone(nlohmann::ordered_json::parse(definition_schema<PolicyDefinition>()));
  expect_roots_alone(nlohmann::ordered_json::parse(definition_schema<SettingsDefinition>()));
}

TEST_F(OwnershipTest, a_collection_is_roots_until_it_is_given) {
  const Ownership team{.uid = 7, .gid = 8, .mode = 0775};
  write([&](db::Connection& db) {
    Collections collections(db);
    EXPECT_EQ(must(collections.get(DefinitionKind::flow)), (Ownership{0, 0, 0755}));
    must(collections.set(DefinitionKind::flow, {.uid = 1}, at(1)));
    must(collections.set(DefinitionKind::flow, team, at(2)));
  });
  read([&](db::Connection& db) {
    EXPECT_EQ(must(Collections(db).get(DefinitionKind::flow)), team);
    EXPECT_EQ(must(Collections(db).get(DefinitionKind::machine)), (Ownership{0, 0, 0755}));
  });
}

TEST_F(OwnershipTest, an_event_remembers_whose_its_object_was) {
  const Ownership before{1000, 100, 0750}, after{2000, 200, 0700};
  const std::string name = read([&](db::Connection& db) { return must(Flows(db).name_of(flow)); });
  give(flow, before);
  EXPECT_EQ(told("flows/" + name + "/executions/r1").owner, before);
  give(flow, after);
  read([&](db::Connection& db) { EXPECT_EQ(must(Events(db).since(0, 1, {})).at(0).owner, before); });
  last_ = read([&](db::Connection& db) { return must(Events(db).newest()); });
  EXPECT_EQ(told("flows/" + name).owner, after);
}

TEST_F(OwnershipTest, an_event_without_an_owner_is_roots_alone) {
  EXPECT_EQ(told("config.json").owner, std::nullopt);
  last_ = read([&](db::Connection& db) { return must(Events(db).newest()); });
  EXPECT_EQ(told("flows/none").owner, std::nullopt);
  last_ = read([&](db::Connection& db) { return must(Events(db).newest()); });
  EXPECT_EQ(told("").owner, std::nullopt);
}

TEST_F(OwnershipTest, an_event_of_a_job_belongs_to_the_owner_of_its_flow) {
  const Ownership its{1000, 100, 0750};
  give(flow, its);
  Execution execution = an_execution(flow, "r1");
  Job job;
  job.id = new_id();
  job.name = "j1";
  job.execution_id = execution.id;
  job.machine_id = machine;
  write([&](db::Connection& db) {
    must(Executions(db).add(execution));
    must(Jobs(db).add(job));
  });
  EXPECT_EQ(told("jobs/j1").owner, its);
}

TEST_F(OwnershipTest, the_event_log_is_cut_by_size_and_the_oldest_parts_go) {
  constexpr int kEvents = 3000;
  write([&](db::Connection& db) {
    must(SettingsStore(db).define({.events_size = 4096}, at(0)));
    Events events(db);
    Event event;
    event.event = "test";
    for (int i = 0; i < kEvents; ++i) must(events.add(event));
  });
  read([&](db::Connection& db) {
    Events events(db);
    const auto parts = must(events.parts());
    ASSERT_EQ(parts.size(), static_cast<std::size_t>(Events::kMostParts));
    EXPECT_TRUE(std::ranges::is_sorted(parts, std::greater{}));
    const auto left = must(events.since(0, kEvents, {}));
    EXPECT_LT(left.size(), 500u);  // ten parts of some 27
    EXPECT_GE(left.size(), 200u);
    // Events of a part that has gone, not swept yet.
    EXPECT_LT(left.size() - must(events.since(parts.back(), kEvents, {})).size(), 30u);
  });
}

TEST_F(OwnershipTest, totals_are_told_by_owner) {
  const Ownership its{1000, 100, 0750};
  give(flow, its);
  read([&](db::Connection& db) {
    std::int64_t his = 0, all = 0;
    for (const OwnedTotals& owned : must(read_owned_totals(db))) {
      all += owned.totals.flows;
      if (owned.ownership == its) his += owned.totals.flows;
    }
    EXPECT_EQ(his, 1);
    EXPECT_EQ(all, must(read_totals(db)).flows);
  });
}

}  // namespace
}  // namespace holdfast
