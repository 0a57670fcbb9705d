// Promises of the stores on a real database: objects that users make.
#include "tests/catalog/fixture.h"

namespace holdfast {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Stores : public CatalogTest {
 protected:
  std::vector<std::string> disk_names() {
    std::vector<std::string> names;
    for (const Disk& disk : read([&](db::Connection& db) { return must(Machines(db).disks(machine)); }))
      names.push_back(disk.name + (disk.configured ? "" : " (kept)"));
    return names;
  }
  void define_disks(std::vector<DiskDefinition> disks) {
    MachineDefinition definition = a_machine();
    definition.disks = std::move(disks);
    write([&](db::Connection& db) { must(Machines(db).define(machine, definition, at(5))); });
  }
};

TEST_F(Stores, a_new_object_is_incomplete_and_has_its_defaults) {
  const Repository made = write([&](db::Connection& db) {
    return must(Repositories(db).add("new", {.uid = 1000, .gid = 100, .mode = 0700}, at(7)));
  });
  const Repository found = read([&](db::Connection& db) { return must(Repositories(db).get(made.id)); });
  EXPECT_FALSE(found.complete);
  EXPECT_EQ(found.definition, RepositoryDefinition{});
  EXPECT_EQ(found.ownership, (Ownership{.uid = 1000, .gid = 100, .mode = 0700}));
  EXPECT_EQ(found.created_at, at(7));
  EXPECT_EQ(found.revision, made.revision);
}

TEST_F(Stores, a_machines_definition_is_read_back_as_it_was_written) {
  MachineDefinition definition = a_machine();
  definition.description = "the till";
  definition.tags = {"prod", "db"};
  write([&](db::Connection& db) { must(Machines(db).define(machine, definition, at(5))); });
  const Machine found = read([&](db::Connection& db) { return must(Machines(db).get(machine)); });
  EXPECT_EQ(found.definition, definition);
  EXPECT_TRUE(found.complete);
  EXPECT_EQ(found.changed_at, at(5));
  EXPECT_THAT(found.key, testing::MatchesRegex("m-[0-9a-f]{8}"));
}

TEST_F(Stores, a_repositorys_definition_is_read_back_as_it_was_written) {
  RepositoryDefinition definition{"vault", {"far"}, "/srv/b", Compression::deflate, 9, 131072, true};
  write([&](db::Connection& db) { must(Repositories(db).define(repository, definition, at(5))); });
  EXPECT_EQ(read([&](db::Connection& db) { return must(Repositories(db).get(repository)); }).definition,
            definition);
}

TEST_F(Stores, a_flows_definition_is_read_back_as_it_was_written) {
  FlowDefinition definition{"nightly", {"gold"}, FlowType::backup, "machines/m", "r", false};
  write([&](db::Connection& db) { must(Flows(db).define(flow, definition, at(5))); });
  const Flow found = read([&](db::Connection& db) { return must(Flows(db).get(flow)); });
  EXPECT_EQ(found.definition, definition);
  EXPECT_EQ(found.machine_id, machine);
  EXPECT_EQ(found.repository_id, repository);
}

TEST_F(Stores, a_flow_follows_the_names_of_what_it_refers_to) {
  write([&](db::Connection& db) {
    must(Machines(db).rename(machine, "web", at(5)));
    must(Repositories(db).rename(repository, "vault", at(5)));
  });
  const Flow found = read([&](db::Connection& db) { return must(Flows(db).get(flow)); });
  EXPECT_EQ(found.definition.target, "machines/web");
  EXPECT_EQ(found.definition.repository, "vault");
}

TEST_F(Stores, objects_are_found_and_listed_by_name) {
  write([&](db::Connection& db) { must(Machines(db).add("a", {}, at(1))); });
  read([&](db::Connection& db) {
    EXPECT_EQ(must(Machines(db).find("m")), machine);
    EXPECT_EQ(must(Machines(db).find("M")), std::nullopt);
    std::vector<std::string> names;
    for (const Named& named : must(Machines(db).list())) names.push_back(named.name);
    EXPECT_THAT(names, ElementsAre("a", "m"));
  });
}

TEST_F(Stores, a_taken_name_is_refused) {
  EXPECT_EQ(refused([](db::Connection& db) { return Machines(db).add("m", {}, at(1)); }),
            (Error{EEXIST, "machine 'm' exists"}));
  EXPECT_EQ(refused([](db::Connection& db) { return Repositories(db).add("r", {}, at(1)); }),
            (Error{EEXIST, "repository 'r' exists"}));
  EXPECT_EQ(refused([](db::Connection& db) { return Flows(db).add("f", {}, at(1)); }),
            (Error{EEXIST, "flow 'f' exists"}));
  const Id other = write([](db::Connection& db) { return must(Flows(db).add("g", {}, at(1))).id; });
  EXPECT_EQ(refused([&](db::Connection& db) { return Flows(db).rename(other, "f", at(1)); }),
            (Error{EEXIST, "flow 'f' exists"}));
}

TEST_F(Stores, a_bad_name_is_refused) {
  EXPECT_EQ(refused([](db::Connection& db) { return Flows(db).add("a/b", {}, at(1)); }).code, EINVAL);
  EXPECT_EQ(refused([&](db::Connection& db) { return Flows(db).rename(flow, ".b", at(1)); }).code, EINVAL);
}

TEST_F(Stores, a_missing_object_is_enoent) {
  const auto code_of = [](const auto& result) { return result ? 0 : result.error().code; };
  write([&](db::Connection& db) {
    EXPECT_EQ(code_of(Machines(db).get(9)), ENOENT);
    EXPECT_EQ(code_of(Machines(db).rename(9, "x", at(1))), ENOENT);
    EXPECT_EQ(code_of(Machines(db).define(9, a_machine(), at(1))), ENOENT);
    EXPECT_EQ(code_of(Machines(db).remove(9)), ENOENT);
    EXPECT_EQ(code_of(Machines(db).set_capacity(9, 1)), ENOENT);
    EXPECT_EQ(code_of(Repositories(db).get(9)), ENOENT);
    EXPECT_EQ(code_of(Repositories(db).define(9, a_repository("/x"), at(1))), ENOENT);
    EXPECT_EQ(code_of(Repositories(db).set_marker(9, "x")), ENOENT);
    EXPECT_EQ(code_of(Repositories(db).remove(9)), ENOENT);
    EXPECT_EQ(code_of(Repositories(db).usage(9)), ENOENT);
    EXPECT_EQ(code_of(Flows(db).get(9)), ENOENT);
    EXPECT_EQ(code_of(Flows(db).define(9, a_flow(), at(1))), ENOENT);
    EXPECT_EQ(code_of(Flows(db).remove(9)), ENOENT);
    EXPECT_EQ(code_of(Executions(db).get(9)), ENOENT);
    EXPECT_EQ(code_of(Jobs(db).get(9)), ENOENT);
    EXPECT_EQ(code_of(Points(db).get(9)), ENOENT);
    EXPECT_EQ(code_of(Points(db).disk(9)), ENOENT);
    EXPECT_EQ(code_of(Points(db).layer(9)), ENOENT);
    EXPECT_EQ(code_of(Points(db).stack(9)), ENOENT);
    EXPECT_EQ(code_of(Points(db).remove(9)), ENOENT);
    EXPECT_EQ(code_of(Points(db).of_machine(9)), ENOENT);
    EXPECT_EQ(code_of(Leftovers(db).remove(9)), ENOENT);
  });
}

TEST_F(Stores, a_flow_over_a_missing_object_is_refused_by_its_name) {
  FlowDefinition definition = a_flow();
  definition.target = "machines/other";
  EXPECT_EQ(refused([&](db::Connection& db) { return Flows(db).define(flow, definition, at(1)); }),
            (Error{ENOENT, "there is no machine 'other'"}));
  definition = a_flow();
  definition.repository = "other";
  EXPECT_EQ(refused([&](db::Connection& db) { return Flows(db).define(flow, definition, at(1)); }),
            (Error{ENOENT, "there is no repository 'other'"}));
  definition = a_flow();
  definition.target = "groups/m";
  EXPECT_EQ(refused([&](db::Connection& db) { return Flows(db).define(flow, definition, at(1)); }),
            (Error{ENOENT, "there is no group 'm'"}));
  definition.target = "m";
  EXPECT_EQ(refused([&](db::Connection& db) { return Flows(db).define(flow, definition, at(1)); }).code,
            EINVAL);
}

TEST_F(Stores, every_change_makes_the_revision_grow) {
  const auto revision = [&] {
    return read([&](db::Connection& db) { return must(Repositories(db).get(repository)).revision; });
  };
  std::int64_t before = revision();
  const auto grows = [&](auto change) {
    write(change);
    EXPECT_GT(revision(), before);
    before = revision();
  };
  grows([&](db::Connection& db) { must(Repositories(db).rename(repository, "s", at(2))); });
  grows([&](db::Connection& db) { must(Repositories(db).define(repository, a_repository(), at(2))); });
  grows([&](db::Connection& db) { must(Repositories(db).set_marker(repository, "x")); });
  const Point point = committed_point("t1", 1);
  EXPECT_GT(revision(), before);
  before = revision();
  grows([&](db::Connection& db) { must(Points(db).remove(point.id)); });
}

TEST_F(Stores, a_disk_that_keeps_its_name_stays_the_same_disk) {
  const auto disks = [&] {
    return read([&](db::Connection& db) { return must(Machines(db).disks(machine)); });
  };
  const auto before = disks();
  write([&](db::Connection& db) { must(Machines(db).set_capacity(before[1].id, 4096)); });
  define_disks({{"disk-1"}, {"disk-0"}});
  const auto after = disks();
  EXPECT_EQ(after[0].id, before[1].id);
  EXPECT_EQ(after[0].capacity, 4096u);
  EXPECT_EQ(after[1].id, before[0].id);
}

TEST_F(Stores, a_disk_out_of_the_definition_stays_while_points_hold_it) {
  const Point point = committed_point("t1", 1);
  define_disks({{"disk-1"}, {"disk-2"}});
  EXPECT_THAT(disk_names(), ElementsAre("disk-1", "disk-2", "disk-0 (kept)"));
  define_disks({{"disk-1"}});
  EXPECT_THAT(disk_names(), ElementsAre("disk-1", "disk-0 (kept)")) << "nothing held disk-2";
  write([&](db::Connection& db) { must(Points(db).remove(point.id)); });
  EXPECT_THAT(disk_names(), ElementsAre("disk-1"));
}

TEST_F(Stores, a_disk_that_comes_back_is_the_same_disk) {
  const auto before = read([&](db::Connection& db) { return must(Machines(db).disks(machine)); });
  committed_point("t1", 1);
  define_disks({{"disk-1"}});
  define_disks({{"disk-0"}, {"disk-1"}});
  const auto after = read([&](db::Connection& db) { return must(Machines(db).disks(machine)); });
  EXPECT_EQ(after[0].id, before[0].id);
  EXPECT_TRUE(after[0].configured);
}

TEST_F(Stores, no_disk_goes_while_a_capture_runs_since_it_may_be_about_to_commit_it) {
  Point point = begin_point("t1", 1);
  const auto layers = fill(point);
  define_disks({{"disk-1"}});
  EXPECT_THAT(disk_names(), ElementsAre("disk-1", "disk-0 (kept)"));
  write([&](db::Connection& db) { must(Points(db).commit(point, layers)); });
}

TEST_F(Stores, a_machine_in_use_stays_and_its_users_are_named) {
  write([&](db::Connection& db) {
    const Flow second = must(Flows(db).add("a", {}, at(1)));
    must(Flows(db).define(second.id, a_flow(), at(1)));
  });
  committed_point("t1", 1);
  EXPECT_EQ(refused([&](db::Connection& db) { return Machines(db).remove(machine); }),
            (Error{EBUSY, "machine 'm' is used by flow 'a', 'f' and has 1 point"}));
}

TEST_F(Stores, a_repository_in_use_stays_and_its_users_are_named) {
  EXPECT_EQ(refused([&](db::Connection& db) { return Repositories(db).remove(repository); }),
            (Error{EBUSY, "repository 'r' is used by flow 'f'"}));
  write([&](db::Connection& db) { must(Flows(db).remove(flow)); });
  const Point full = committed_point("t1", 1);
  committed_point("t2", 2, &full);
  EXPECT_EQ(refused([&](db::Connection& db) { return Repositories(db).remove(repository); }),
            (Error{EBUSY, "repository 'r' has 2 points"}));
}

TEST_F(Stores, unused_objects_can_go) {
  const Point point = committed_point("t1", 1);
  write([&](db::Connection& db) {
    must(Flows(db).remove(flow));
    must(Points(db).remove(point.id));
    must(Machines(db).remove(machine));
    must(Repositories(db).remove(repository));
    EXPECT_THAT(must(Machines(db).list()), IsEmpty());
    EXPECT_THAT(must(Repositories(db).list()), IsEmpty());
  });
}

TEST_F(Stores, a_repository_with_points_stays_where_it_is) {
  committed_point("t1", 1);
  const Error error = refused([&](db::Connection& db) {
    return Repositories(db).define(repository, a_repository("/srv/other"), at(2));
  });
  EXPECT_EQ(error.code, EBUSY);
  EXPECT_THAT(error.message, HasSubstr("repository 'r' has 1 point at /srv/backup"));
  RepositoryDefinition same_place = a_repository();
  same_place.compression_level = 3;
  write([&](db::Connection& db) { must(Repositories(db).define(repository, same_place, at(2))); });
}

TEST_F(Stores, two_repositories_do_not_share_a_path) {
  const Id other = write([](db::Connection& db) { return must(Repositories(db).add("s", {}, at(1))).id; });
  EXPECT_EQ(
      refused([&](db::Connection& db) { return Repositories(db).define(other, a_repository(), at(2)); }),
      (Error{EEXIST, "another repository has the path /srv/backup"}));
}

TEST_F(Stores, a_marker_goes_with_its_path) {
  const auto marker = [&] {
    return read([&](db::Connection& db) { return must(Repositories(db).get(repository)).marker; });
  };
  write([&](db::Connection& db) { must(Repositories(db).set_marker(repository, "abc")); });
  write([&](db::Connection& db) { must(Repositories(db).define(repository, a_repository(), at(2))); });
  EXPECT_EQ(marker(), "abc");
  write(
      [&](db::Connection& db) { must(Repositories(db).define(repository, a_repository("/srv/x"), at(2))); });
  EXPECT_EQ(marker(), "");
}

}  // namespace
}  // namespace holdfast
