// Promises of the stores on a real database: groups, schedules, policies, settings, and the changes of
// definitions that repositories are told of.
#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Model : public CatalogTest {
 protected:
  template <class Store>
  Id added(std::string_view name) {
    return write([&](db::Connection& db) { return must(Store(db).add(name, {}, at(0))).id; });
  }
  template <class Store, class Definition>
  void define(Id id, const Definition& definition) {
    write([&](db::Connection& db) { must(Store(db).define(id, definition, at(5))); });
  }
  template <class Store>
  auto got(Id id) {
    return read([&](db::Connection& db) { return must(Store(db).get(id)); });
  }
  template <class Store>
  Error not_removed(Id id) {
    return refused([&](db::Connection& db) { return Store(db).remove(id); });
  }
  // Definitions that the function changes, as "flow f".
  template <class F>
  std::vector<std::string> changes_of(F change) {
    const auto before = read([](db::Connection& db) { return must(DefinitionChanges(db).newest()); });
    write(change);
    std::vector<std::string> words;
    for (const auto& changed :
         read([&](db::Connection& db) { return must(DefinitionChanges(db).since(before)); }))
      words.push_back(fmt::format("{} {}", to_word(changed.kind), changed.name));
    return words;
  }
  std::vector<std::string> members(Id group) {
    std::vector<std::string> words;
    for (const Member& member : read([&](db::Connection& db) { return must(Groups(db).members(group)); }))
      words.push_back(member.machine + (member.enabled ? "" : " (off)"));
    return words;
  }
};

TEST_F(Model, every_reference_of_a_flow_is_read_back_by_name) {
  added<Repositories>("offsite");
  added<Schedules>("h");
  added<Policies>("p");
  added<Flows>("first");
  FlowDefinition definition = a_flow();
  definition.from = "offsite", definition.schedule = "h", definition.policy = "p", definition.after = "first";
  define<Flows>(flow, definition);
  EXPECT_EQ(got<Flows>(flow).definition, definition);
}

TEST_F(Model, a_flow_runs_over_a_machine_or_a_group) {
  const Id group = added<Groups>("g");
  FlowDefinition definition = a_flow();
  definition.target = "groups/g";
  define<Flows>(flow, definition);
  EXPECT_EQ(got<Flows>(flow).definition.target, "groups/g");
  EXPECT_EQ(got<Flows>(flow).group_id, group);
  EXPECT_EQ(got<Flows>(flow).machine_id, std::nullopt);
  EXPECT_EQ(not_removed<Groups>(group), (Error{EBUSY, "group 'g' is used by flow 'f'"}));
}

TEST_F(Model, no_flow_runs_after_itself_not_even_after_others) {
  const auto refusal = [&](const char* after) {
    FlowDefinition definition = a_flow();
    definition.after = after;
    return refused([&](db::Connection& db) { return Flows(db).define(flow, definition, at(1)); });
  };
  const std::string circle = "field \"after\" makes a circle of flows that wait for each other: ";
  EXPECT_EQ(refusal("f"), (Error{EINVAL, circle + "flow 'f' after 'f'"}));
  FlowDefinition definition = a_flow();
  definition.after = "f";
  define<Flows>(added<Flows>("g"), definition);
  EXPECT_EQ(refusal("g"), (Error{EINVAL, circle + "flow 'f' after 'g' after 'f'"}));
}

TEST_F(Model, a_group_has_members_that_can_be_switched_off) {
  const Id group = added<Groups>("g"), other = added<Machines>("other");
  write([&](db::Connection& db) {
    must(Groups(db).add_member(group, other, at(1)));
    must(Groups(db).add_member(group, machine, at(1)));
    must(Groups(db).enable_member(group, machine, false, at(1)));
  });
  EXPECT_THAT(members(group), ElementsAre("m (off)", "other"));
  EXPECT_EQ(refused([&](db::Connection& db) { return Groups(db).add_member(group, other, at(1)); }).code,
            EEXIST);
  EXPECT_EQ(refused([&](db::Connection& db) { return Groups(db).add_member(group, 9, at(1)); }).code, ENOENT);
  EXPECT_EQ(refused([&](db::Connection& db) { return Groups(db).add_member(9, other, at(1)); }).code, ENOENT);
  write([&](db::Connection& db) { must(Groups(db).remove_member(group, machine, at(1))); });
  const auto gone = [&](auto change) { EXPECT_EQ(refused(change).code, ENOENT); };
  gone([&](db::Connection& db) { return Groups(db).remove_member(group, machine, at(1)); });
  gone([&](db::Connection& db) { return Groups(db).enable_member(group, machine, true, at(1)); });
  write([&](db::Connection& db) { must(Machines(db).remove(other)); });
  EXPECT_THAT(members(group), IsEmpty()) << "a link goes with what it leads to";
}

TEST_F(Model, a_repository_that_a_flow_copies_from_stays_and_its_users_are_named) {
  const Id offsite = added<Repositories>("offsite");
  FlowDefinition copying = a_flow();
  copying.from = "offsite";
  define<Flows>(flow, copying);
  EXPECT_EQ(not_removed<Repositories>(offsite), (Error{EBUSY, "repository 'offsite' is used by flow 'f'"}));
}

TEST_F(Model, no_removal_disarms_a_flow_in_silence) {
  const Id schedule = added<Schedules>("h"), policy = added<Policies>("p"), first = added<Flows>("first");
  FlowDefinition definition = a_flow();
  definition.schedule = "h", definition.policy = "p", definition.after = "first";
  define<Flows>(flow, definition);
  const auto used = [](const std::string& what, const std::string& field) {
    return Error{EBUSY,
                 fmt::format("{} is used by flow 'f'; write 'set {}=null' to flows/NAME/control to let it go",
                             what, field)};
  };
  EXPECT_EQ(not_removed<Schedules>(schedule), used("schedule 'h'", "schedule"));
  EXPECT_EQ(not_removed<Policies>(policy), used("policy 'p'", "policy"));
  EXPECT_EQ(not_removed<Flows>(first), used("flow 'first'", "after"));
  EXPECT_EQ(got<Flows>(flow).definition, definition);
  define<Flows>(flow, a_flow());
  write([&](db::Connection& db) {
    must(Schedules(db).remove(schedule));
    must(Policies(db).remove(policy));
    must(Flows(db).remove(first));
  });
}

TEST_F(Model, owner_and_modes_of_every_kind_can_be_changed) {
  const Ownership ownership{.uid = 1000, .gid = 100, .mode = 0700};
  const auto change = [&]<class Store>(Id id) {
    const auto revision = got<Store>(id).revision;
    write([&](db::Connection& db) { must(Store(db).set_ownership(id, ownership, at(9))); });
    EXPECT_EQ(got<Store>(id).ownership, ownership);
    EXPECT_EQ(got<Store>(id).changed_at, at(9));
    EXPECT_GT(got<Store>(id).revision, revision);
    EXPECT_EQ(refused([&](db::Connection& db) { return Store(db).set_ownership(9, ownership, at(9)); }).code,
              ENOENT);
  };
  change.operator()<Machines>(machine);
  change.operator()<Repositories>(repository);
  change.operator()<Flows>(flow);
  change.operator()<Groups>(added<Groups>("g"));
  change.operator()<Schedules>(added<Schedules>("h"));
  change.operator()<Policies>(added<Policies>("p"));
}

TEST_F(Model, settings_have_their_defaults_until_they_are_written) {
  const auto settings = [&] {
    return read([](db::Connection& db) { return must(SettingsStore(db).get()); });
  };
  EXPECT_EQ(settings().definition, SettingsDefinition{});
  const SettingsDefinition definition{1, false, 2, 5000};
  for (const auto& next : {definition, SettingsDefinition{}}) {
    const auto before = settings().revision;
    write([&](db::Connection& db) { must(SettingsStore(db).define(next, at(5))); });
    EXPECT_EQ(settings().definition, next);
    EXPECT_GT(settings().revision, before);
    EXPECT_EQ(settings().changed_at, at(5));
  }
}

TEST_F(Model, schedules_are_due_in_the_order_of_their_times) {
  ScheduleDefinition definition;
  definition.every = std::chrono::seconds{60};
  for (const auto& [name, next] : {std::pair{"later", 30}, {"now", 20}, {"early", 10}, {"off", 5}}) {
    const Id schedule = added<Schedules>(name);
    definition.enabled = name != std::string_view("off");
    define<Schedules>(schedule, definition);
    write([&, next = next](db::Connection& db) { must(Schedules(db).set_next(schedule, at(next))); });
  }
  const Id unplanned = added<Schedules>("unplanned");
  define<Schedules>(unplanned, definition = {.every = std::chrono::seconds{60}});
  read([&](db::Connection& db) {
    std::vector<std::string> names;
    for (const Named& due : must(Schedules(db).due(at(20), 10))) names.push_back(due.name);
    EXPECT_THAT(names, ElementsAre("early", "now"));
    EXPECT_EQ(must(Schedules(db).due(at(20), 1)).size(), 1u);
    EXPECT_THAT(must(Schedules(db).unplanned()), ElementsAre(unplanned));
  });
  const Id early = must(catalog->read([](db::Connection& db) { return Schedules(db).resolve("early"); }));
  EXPECT_EQ(got<Schedules>(early).next_at, at(10));
  define<Schedules>(early, definition);
  EXPECT_EQ(got<Schedules>(early).next_at, std::nullopt) << "another definition has other times";
}

TEST_F(Model, a_schedule_is_followed_by_flows) {
  const Id schedule = added<Schedules>("h");
  define<Schedules>(schedule, ScheduleDefinition{.cron = "0 2 * * *"});
  FlowDefinition definition = a_flow();
  definition.schedule = "h";
  define<Flows>(flow, definition);
  definition.enabled = false;
  const Id off = added<Flows>("off");
  define<Flows>(off, definition);
  write([&](db::Connection& db) { must(Schedules(db).set_next(schedule, at(5))); });
  read([&](db::Connection& db) {
    EXPECT_THAT(must(Flows(db).of_schedule(schedule)), ElementsAre(Named{flow, "f"}, Named{off, "off"}));
    EXPECT_THAT(must(Schedules(db).next_flows(10)), ElementsAre(flow));
    EXPECT_EQ(must(Schedules(db).next_due()), at(5));
  });
}

TEST_F(Model, a_time_of_a_schedule_comes_to_one_end_for_each_flow) {
  const Id schedule = added<Schedules>("h");
  Execution execution = an_execution(flow, "r1");
  Occurrence first{new_id(), schedule, flow, at(1)}, second{new_id(), schedule, flow, at(2)};
  write([&](db::Connection& db) {
    must(Executions(db).add(execution));
    must(Occurrences(db).add(second));
    must(Occurrences(db).add(first));
  });
  EXPECT_THAT(read([](db::Connection& db) { return must(Occurrences(db).planned()); }),
              ElementsAre(first, second));
  EXPECT_EQ(refused([&](db::Connection& db) {
              return Occurrences(db).add({new_id(), schedule, flow, at(1)});
            }).code,
            EEXIST);
  write([&](db::Connection& db) {
    EXPECT_FALSE(must(Occurrences(db).add_if_new({new_id(), schedule, flow, at(1)})));
    EXPECT_TRUE(must(Occurrences(db).is_planned(first.id)));
  });
  first.status = OccurrenceStatus::started, first.execution_id = execution.id;
  second.status = OccurrenceStatus::skipped, second.reason = OccurrenceReason::already_running;
  write([&](db::Connection& db) {
    must(Occurrences(db).settle(first));
    must(Occurrences(db).settle(second));
  });
  EXPECT_EQ(refused([&](db::Connection& db) { return Occurrences(db).settle(first); }).code, EINVAL);
  EXPECT_THAT(read([&](db::Connection& db) { return must(Occurrences(db).newest(schedule, 9)); }),
              ElementsAre(second, first));
  EXPECT_THAT(read([](db::Connection& db) { return must(Occurrences(db).planned()); }), IsEmpty());
}

TEST_F(Model, old_times_of_a_schedule_are_forgotten_a_few_at_a_time) {
  const Id schedule = added<Schedules>("h");
  for (int i = 0; i < 10; ++i)
    write([&](db::Connection& db) {
      must(Occurrences(db).add(
          {new_id(), schedule, flow, at(i), OccurrenceStatus::missed, OccurrenceReason::daemon_was_down}));
    });
  write([&](db::Connection& db) {
    EXPECT_EQ(must(Occurrences(db).prune(schedule, 4, 5)), 5);
    EXPECT_EQ(must(Occurrences(db).prune(schedule, 4, 5)), 1);
    EXPECT_EQ(must(Occurrences(db).prune(schedule, 4, 5)), 0);
    const auto left = must(Occurrences(db).newest(schedule, 10));
    ASSERT_EQ(left.size(), 4u);
    EXPECT_EQ(left.back().planned_at, at(6));
  });
}

TEST_F(Model, totals_follow_what_is_there) {
  const auto totals = [&] { return read([](db::Connection& db) { return must(read_totals(db)); }); };
  EXPECT_EQ(totals(), (Totals{1, 1, 1, 0, 0}));
  const Point point = committed_point("t1", 1);
  const Id other = added<Machines>("other");
  EXPECT_EQ(totals(), (Totals{2, 1, 1, 1, 1000}));
  refused([&](db::Connection& db) -> Result<> {
    HF_CHECK(Machines(db).remove(other));
    return fail(EIO, "no more");
  });
  EXPECT_EQ(totals(), (Totals{2, 1, 1, 1, 1000}));
  write([&](db::Connection& db) {
    must(Points(db).remove(point.id));
    must(Machines(db).remove(other));
    must(Flows(db).remove(flow));
  });
  EXPECT_EQ(totals(), (Totals{1, 1, 0, 0, 0}));
}

TEST_F(Model, a_change_of_a_definition_is_noted_by_its_name) {
  EXPECT_THAT(changes_of([&](db::Connection& db) { must(Flows(db).define(flow, a_flow(), at(2))); }),
              ElementsAre("flow f"));
  EXPECT_THAT(changes_of([&](db::Connection& db) {
                must(Flows(db).set_ownership(flow, {1, 1, 0700}, at(2)));
              }),
              ElementsAre("flow f"));
  EXPECT_THAT(changes_of([&](db::Connection& db) { must(Flows(db).remove(flow)); }), ElementsAre("flow f"));
}

TEST_F(Model, a_new_name_is_a_change_of_all_that_use_it) {
  const Id group = added<Groups>("g");
  write([&](db::Connection& db) { must(Groups(db).add_member(group, machine, at(1))); });
  EXPECT_THAT(changes_of([&](db::Connection& db) { must(Machines(db).rename(machine, "web", at(2))); }),
              UnorderedElementsAre("machine m", "machine web", "flow f", "group g"));
  EXPECT_THAT(changes_of([&](db::Connection& db) { must(Repositories(db).rename(repository, "s", at(2))); }),
              UnorderedElementsAre("repository r", "repository s", "flow f"));
  const Id policy = added<Policies>("p");
  FlowDefinition definition = a_flow();
  definition.target = "machines/web", definition.repository = "s", definition.policy = "p";
  define<Flows>(flow, definition);
  EXPECT_THAT(changes_of([&](db::Connection& db) { must(Policies(db).rename(policy, "q", at(2))); }),
              UnorderedElementsAre("policy p", "policy q", "flow f"));
  EXPECT_THAT(
      changes_of([&](db::Connection& db) { must(Groups(db).enable_member(group, machine, false, at(1))); }),
      ElementsAre("group g"));
}

TEST_F(Model, an_execution_changes_no_definition) {
  EXPECT_THAT(changes_of([&](db::Connection& db) { must(Executions(db).add(an_execution(flow, "r1"))); }),
              IsEmpty());
}

TEST_F(Model, a_disk_has_a_key_for_ever_and_says_what_the_source_calls_it) {
  const auto disks = [&] {
    return read([&](db::Connection& db) { return must(Machines(db).disks(machine)); });
  };
  const auto before = disks();
  EXPECT_THAT(before[0].key, testing::MatchesRegex("disk-0-[0-9a-f]{8}"));
  write([&](db::Connection& db) { must(Machines(db).set_source_identity(before[0].id, "wwn-1")); });
  define<Machines>(machine, a_machine());
  EXPECT_EQ(disks()[0].key, before[0].key);
  EXPECT_EQ(disks()[0].source_identity, "wwn-1");
  EXPECT_EQ(refused([](db::Connection& db) { return Machines(db).set_source_identity(9, "x"); }).code,
            ENOENT);
}

}  // namespace
}  // namespace holdfast
