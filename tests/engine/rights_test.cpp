// Law 19 in the engine: who may give objects away, and that a flow does only what its owner may.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {
namespace {

using testing::HasSubstr;

const Caller kRoot, kOwner{1001, 1001, 1}, kMember{1002, 1002, 1, {50}};

class Rights : public testing::Test {
 protected:
  void SetUp() override {
    auto started = Engine::start({.state = folder_.path()});
    ASSERT_TRUE(started) << started.error().message;
    engine_ = std::move(*started);
    repository_ = *engine_->objects().create(ObjectKind::repository, "r", kRoot);
    ASSERT_TRUE(
        engine_->objects().define(repository_, RepositoryDefinition{.path = repositories_.path()}, kRoot));
    machine_ = *engine_->objects().create(ObjectKind::machine, "m", kRoot);
    flow_ = *engine_->objects().create(ObjectKind::flow, "f", kRoot);
  }
  void give(ObjectKind kind, Id id, const Ownership& ownership) {
    ASSERT_TRUE(engine_->objects().set_ownership(kind, id, ownership, kRoot));
  }
  Result<> define(const Caller& caller, const std::string& schedule = "", const std::string& after = "") {
    FlowDefinition definition;
    definition.schedule = schedule;
    definition.after = after;
    definition.target = "machines/m";
    definition.repository = "r";
    return engine_->objects().define(flow_, definition, caller);
  }
  Event newest() { return engine_->status().events_since(0, 1000, {})->back(); }

  const TemporaryDirectory folder_, repositories_;
  std::unique_ptr<Engine> engine_;
  Id repository_ = 0, machine_ = 0, flow_ = 0;
};

TEST_F(Rights, naming_a_machine_or_repository_needs_the_right_to_write_to_it) {
  give(ObjectKind::flow, flow_, {.uid = kOwner.uid, .gid = 50, .mode = 0770});
  give(ObjectKind::machine, machine_, {.uid = kOwner.uid, .gid = kOwner.gid, .mode = 0750});
  give(ObjectKind::repository, repository_, {.uid = 0, .gid = 50, .mode = 0770});
  const auto by_member = define(kMember);
  ASSERT_FALSE(by_member);
  EXPECT_EQ(by_member.error().code, EACCES);
  EXPECT_THAT(by_member.error().message, HasSubstr("machines/m is not yours to use"));
  const auto by_owner = define(kOwner);
  ASSERT_FALSE(by_owner);
  EXPECT_THAT(by_owner.error().message, HasSubstr("repositories/r is not yours to use"));
  EXPECT_FALSE(engine_->status().flow(flow_, {})->flow.complete);
  // Root may name anything, and the flow's own group may write to the repository.
  ASSERT_TRUE(define(kRoot));
  // References that the flow already has may stay.
  EXPECT_TRUE(define(kOwner));
  EXPECT_TRUE(define(kMember));
}

TEST_F(Rights, a_flow_may_name_only_objects_that_its_user_may_look_into) {
  const Id schedule = *engine_->objects().create(ObjectKind::schedule, "s", kRoot);
  ASSERT_TRUE(engine_->objects().define(schedule, ScheduleDefinition{.cron = "@daily"}, kRoot));
  const Id before = *engine_->objects().create(ObjectKind::flow, "g", kRoot);
  ASSERT_TRUE(define(kRoot));
  give(ObjectKind::flow, flow_, {.uid = kOwner.uid, .gid = 50, .mode = 0770});
  give(ObjectKind::machine, machine_, {.uid = kOwner.uid, .gid = kOwner.gid, .mode = 0750});
  give(ObjectKind::repository, repository_, {.uid = kOwner.uid, .gid = 50, .mode = 0770});
  EXPECT_THAT(define(kOwner, "s").error().message, HasSubstr("schedules/s is not yours to use"));
  EXPECT_THAT(define(kOwner, "", "g").error().message, HasSubstr("flows/g is not yours to use"));
  give(ObjectKind::schedule, schedule, {.mode = 0755});
  give(ObjectKind::flow, before, {.mode = 0755});
  EXPECT_TRUE(define(kOwner, "s", "g"));
}

TEST_F(Rights, a_flow_does_only_what_its_owner_may) {
  const Id schedule = *engine_->objects().create(ObjectKind::schedule, "s", kRoot);
  ASSERT_TRUE(engine_->objects().define(schedule, ScheduleDefinition{.cron = "@daily"}, kRoot));
  give(ObjectKind::schedule, schedule, {.mode = 0755});
  ASSERT_TRUE(define(kRoot));
  give(ObjectKind::flow, flow_, {.uid = kOwner.uid, .gid = kOwner.gid, .mode = 0750});
  for (const Caller& caller : {kRoot, kOwner}) {
    const auto run = engine_->requests().run(flow_, {}, caller);
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, EACCES);
    EXPECT_THAT(run.error().message, HasSubstr("belongs to user 1001, who may not write to machines/m"));
    EXPECT_THAT(define(caller, "s").error().message, HasSubstr("belongs to user 1001"));
  }
  EXPECT_TRUE(engine_->objects().list(ObjectKind::execution, flow_)->empty());
}

TEST_F(Rights, an_owner_changes_group_and_mode_and_only_root_the_owner) {
  const Ownership its{.uid = kMember.uid, .gid = 7, .mode = 0750};
  give(ObjectKind::flow, flow_, its);
  const auto set = [&](const Ownership& wanted, const Caller& caller) {
    const auto done = engine_->objects().set_ownership(ObjectKind::flow, flow_, wanted, caller);
    return done ? 0 : done.error().code;
  };
  EXPECT_EQ(set({its.uid, its.gid, 0700}, kOwner), EPERM);
  EXPECT_EQ(set({kOwner.uid, its.gid, its.mode}, kMember), EPERM);
  EXPECT_EQ(set({its.uid, 8, its.mode}, kMember), EPERM);
  EXPECT_EQ(set({its.uid, its.gid, 04750}, kRoot), EINVAL);
  EXPECT_EQ(*engine_->objects().ownership(ObjectKind::flow, flow_), its);
  EXPECT_EQ(set({its.uid, 50, 0700}, kMember), 0);
  EXPECT_EQ(newest().event, "flow.own");
  EXPECT_EQ(newest().reason, "user 1002, group 50, mode 0700");
  EXPECT_EQ(newest().by, (Caller{1002, 1002, 1}));
}

TEST_F(Rights, collections_can_be_given_away_and_points_can_not) {
  give(ObjectKind::flow, 0, {.uid = 0, .gid = 50, .mode = 0775});
  EXPECT_EQ(*engine_->objects().ownership(ObjectKind::flow, 0), (Ownership{0, 50, 0775}));
  EXPECT_EQ(newest().object, "flows");
  EXPECT_EQ(engine_->objects().set_ownership(ObjectKind::point, 1, {}, kRoot).error().code, EPERM);
}

}  // namespace
}  // namespace holdfast::test
