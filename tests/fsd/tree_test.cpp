#include "fsd/tree/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fsd/started_engine.h"
#include "tests/lib/silent_source.h"

namespace holdfast::tree {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr char kFlow[] = R"({"target":"machines/m","repository":"r","description":"nightly"})";

// A tree with machines/m, repositories/r and flows/f, and functions that use the tree.
class TreeTest : public testing::Test {
 protected:
  TreeTest() {
    for (const char* path : {"machines/m", "repositories/r", "flows/f"}) make(path);
  }

  static std::pair<std::string, std::string> split(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return {"", path};
    return {path.substr(0, slash), path.substr(slash + 1)};
  }

  Result<TreeNode> find(const std::string& path) {
    if (path.empty()) return Tree::root();
    const auto [above, name] = split(path);
    HF_TRY(const TreeNode directory, find(above));
    return tree_.lookup(directory, name, asker_);
  }
  Result<TreeNode> make(const std::string& path) {
    const auto [above, name] = split(path);
    return tree_.make_directory(*find(above), name, asker_);
  }
  Result<> remove(const std::string& path) {
    const auto [above, name] = split(path);
    return tree_.remove_directory(*find(above), name, asker_);
  }
  Result<> rename(const std::string& from, const std::string& to) {
    const auto [above, name] = split(from);
    const auto [new_above, new_name] = split(to);
    return tree_.rename(*find(above), name, *find(new_above), new_name, asker_);
  }
  Result<std::shared_ptr<OpenFile>> open(const std::string& path, const Tree::OpenMode& mode) {
    HF_TRY(const TreeNode node, find(path));
    return tree_.open(node, mode, asker_);
  }
  static Result<std::string> read(OpenFile& file) {
    std::string text;
    Bytes buffer(7);  // small, so that reads continue at offsets
    for (;;) {
      HF_TRY(const std::size_t length, file.read(text.size(), buffer));
      if (length == 0) return text;
      text.append(reinterpret_cast<const char*>(buffer.data()), length);
    }
  }
  Result<std::string> read(const std::string& path) {
    HF_TRY(const auto file, open(path, {.read = true}));
    return read(*file);
  }
  // Acts like `echo TEXT > PATH` with a single write.
  Result<> write(const std::string& path, const std::string& text) {
    HF_TRY(const auto file, open(path, {.write = true, .truncate = true}));
    HF_CHECK(file->write(0, text, false));
    const auto outcome = file->flush(asker_.pid);
    file->released();
    return outcome;
  }
  Result<> save_beside(const std::string& path, const std::string& text) {
    const auto [above, name] = split(path);
    HF_TRY(const auto created, tree_.create(*find(above), name, 0600, {.write = true}, asker_));
    return created.file->write(0, text, false);
  }
  std::vector<std::string> list(const std::string& path) {
    std::vector<std::string> names;
    const auto entries = tree_.entries(*find(path), asker_);
    if (entries)
      for (const DirectoryEntry& entry : *entries) names.push_back(entry.name);
    return names;
  }
  Attributes attributes(const std::string& path) { return *tree_.attributes(*find(path), asker_); }
  Id flow() { return find("flows/f")->object; }

  test::StartedEngine started_;
  Engine& engine_ = *started_;
  Tree tree_{engine_, started_.clock()};
  Asker asker_{0, 0, 100};
};

TEST_F(TreeTest, a_listing_has_the_entries_of_the_table) {
  EXPECT_THAT(list(""),
              ElementsAre("README.txt", "status.json", "config.json", "config.schema.json", "events.jsonl",
                          "flows.jsonl", "machines.jsonl", "points.jsonl", "control", "error", "machines",
                          "groups", "schedules", "policies", "repositories", "flows", "jobs"));
  EXPECT_THAT(list("flows"), ElementsAre("f"));
  EXPECT_THAT(list("repositories/r"),
              ElementsAre("config.json", "config.schema.json", "status.json", "control", "error"));
}

TEST_F(TreeTest, every_listed_entry_is_found_and_has_its_size) {
  const std::function<void(const std::string&)> walk = [&](const std::string& path) {
    const auto entries = tree_.entries(*find(path), asker_);
    ASSERT_TRUE(entries);
    for (const DirectoryEntry& entry : *entries) {
      const std::string below = path.empty() ? entry.name : path + "/" + entry.name;
      SCOPED_TRACE(below);
      const auto node = find(below);
      ASSERT_TRUE(node);
      const auto attributes = tree_.attributes(*node, asker_);
      ASSERT_TRUE(attributes);
      EXPECT_EQ(attributes->inode, entry.inode);
      EXPECT_EQ(attributes->kind, entry.kind);
      const NodeKind kind = entry.kind;
      if (kind == NodeKind::directory || kind == NodeKind::collection || kind == NodeKind::object) {
        walk(below);
      } else if (kind != NodeKind::wait && kind != NodeKind::link && kind != NodeKind::image) {
        const auto text = read(below);
        ASSERT_TRUE(text);
        EXPECT_EQ(text->size(), tree_.attributes(*node, asker_)->size);
      }
    }
  };
  started_.define_all();
  started_.add_point(find("machines/m")->object, "2026-11-20T02-00-00Z", "disk-0", std::string(10240, 'x'));
  test::SilentSource source(started_.socket());
  ASSERT_TRUE(write("flows/f/control", "run name=r1"));
  source.accept_run();  // nothing changes any more
  walk("");
}

TEST_F(TreeTest, latest_and_wait_are_absent_before_the_first_run) {
  EXPECT_THAT(list("flows/f"), Not(Contains("latest")));
  EXPECT_EQ(find("flows/f/wait").error().code, ENOENT);
  EXPECT_EQ(find("machines/m/latest").error().code, ENOENT);
  started_.define_all();
  ASSERT_TRUE(write("flows/f/control", "run name=r1"));
  EXPECT_THAT(list("flows/f"), Contains("latest"));
  EXPECT_EQ(tree_.link_target(*find("flows/f/latest")), "executions/r1");
  EXPECT_TRUE(find("flows/f/wait"));
}

TEST_F(TreeTest, an_execution_has_links_to_its_jobs) {
  started_.define_all();
  ASSERT_TRUE(write("flows/f/control", "run name=r1"));
  const auto jobs = list("flows/f/executions/r1/jobs");
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(tree_.link_target(*find("flows/f/executions/r1/jobs/" + jobs[0])),
            "../../../../../jobs/" + jobs[0]);
  EXPECT_TRUE(find("jobs/" + jobs[0]));
}

TEST_F(TreeTest, a_written_definition_is_shown) {
  ASSERT_TRUE(write("flows/f/config.json", kFlow));
  EXPECT_THAT(*read("flows/f/config.json"), HasSubstr("\"description\": \"nightly\""));
  EXPECT_THAT(*read("flows/f/config.json"), EndsWith("}\n"));
  EXPECT_EQ(read("flows/f/error"), "");
}

TEST_F(TreeTest, the_old_definition_is_readable_until_the_new_one_is_committed) {
  ASSERT_TRUE(write("flows/f/config.json", kFlow));
  const auto writer = *open("flows/f/config.json", {.write = true, .truncate = true});
  ASSERT_TRUE(writer->write(0, R"({"target":"machines/m",)", false));
  EXPECT_THAT(*read("flows/f/config.json"), HasSubstr("nightly"));
  ASSERT_TRUE(writer->write(23, R"("repository":"r"})", false));
  EXPECT_THAT(*read("flows/f/config.json"), Not(HasSubstr("nightly")));
}

TEST_F(TreeTest, a_bad_definition_is_refused_with_its_reason) {
  ASSERT_TRUE(write("flows/f/config.json", kFlow));
  const auto before = read("flows/f/config.json");
  EXPECT_EQ(write("flows/f/config.json", R"({"targt":"machines/m"})").error().code, EINVAL);
  EXPECT_EQ(read("flows/f/config.json"), before);
  EXPECT_THAT(*read("flows/f/error"),
              testing::StartsWith("2026-11-20T02:00:00Z write config.json: EINVAL: field \"targt\""));
  ASSERT_TRUE(write("flows/f/config.json", kFlow));
  EXPECT_EQ(read("flows/f/error"), "");
}

TEST_F(TreeTest, an_incomplete_draft_is_reported_as_discarded) {
  const auto file = *open("flows/f/config.json", {.write = true, .truncate = true});
  ASSERT_TRUE(file->write(0, "{", false));
  ASSERT_TRUE(file->flush(200));  // another process closes it; the opener may go on
  EXPECT_EQ(read("flows/f/error"), "");
  file->released();
  EXPECT_THAT(*read("flows/f/error"), HasSubstr("discarded"));
}

TEST_F(TreeTest, an_unknown_command_is_refused_in_its_write) {
  EXPECT_EQ(write("flows/f/control", "bogus\n").error().code, EINVAL);
  EXPECT_THAT(*read("flows/f/error"), HasSubstr("write control: EINVAL: there is no verb 'bogus'"));
  EXPECT_THAT(list("flows/f/executions"), testing::IsEmpty());
}

TEST_F(TreeTest, a_command_that_is_too_long_is_emsgsize) {
  EXPECT_EQ(write("flows/f/control", "run name=" + std::string(4096, 'x')).error().code, EMSGSIZE);
  EXPECT_THAT(*read("flows/f/error"), HasSubstr("EMSGSIZE"));
}

TEST_F(TreeTest, an_execution_named_like_a_fixed_file_is_refused) {
  started_.define_all();
  EXPECT_EQ(write("flows/f/control", "run name=error").error().code, EINVAL);
}

TEST_F(TreeTest, a_run_is_shown_at_once_and_holds_its_flow) {
  started_.define_all();
  test::SilentSource source(started_.socket());
  ASSERT_TRUE(write("flows/f/control", "run name=r1\n"));
  source.accept_run();
  EXPECT_THAT(*read("flows/f/executions/r1/status.json"), HasSubstr("\"status\": \"running\""));
  EXPECT_EQ(remove("flows/f").error().code, EBUSY);
  EXPECT_THAT(*read("error"), HasSubstr("rmdir flows/f: EBUSY: flow 'f' has execution 'r1' running"));
}

TEST_F(TreeTest, a_wait_answers_once_the_run_has_ended) {
  const Id execution = started_.begin_execution(flow(), "r1");
  const auto waiting = *open("flows/f/wait", {.read = true});
  EXPECT_EQ(read(*waiting).error().code, EAGAIN);
  started_.end_execution(execution, RunStatus::success);
  EXPECT_EQ(read(*waiting), "success\n");
  EXPECT_EQ(attributes("flows/f/wait").size, 0u);
}

TEST_F(TreeTest, a_wait_stays_with_the_execution_that_it_was_opened_on) {
  started_.define_all();
  const Id execution = started_.begin_execution(flow(), "r1");
  const auto waiting = *open("flows/f/wait", {.read = true});
  started_.end_execution(execution, RunStatus::warning);
  ASSERT_TRUE(write("flows/f/control", "run name=r2"));
  EXPECT_EQ(read(*waiting), "warning\n");
}

TEST_F(TreeTest, objects_are_made_renamed_and_removed) {
  ASSERT_TRUE(make("flows/g"));
  EXPECT_EQ(make("flows/g").error().code, EEXIST);
  ASSERT_TRUE(rename("flows/g", "flows/h"));
  EXPECT_EQ(rename("flows/h", "flows/f").error().code, EEXIST);
  ASSERT_TRUE(remove("flows/h"));
  EXPECT_THAT(list("flows"), ElementsAre("f"));
}

TEST_F(TreeTest, malformed_object_names_are_refused) {
  EXPECT_EQ(make("flows/.x").error().code, EINVAL);
  EXPECT_THAT(*read("error"), HasSubstr("mkdir flows/.x: EINVAL"));
  EXPECT_EQ(make("flows/" + std::string(129, 'x')).error().code, EINVAL);
  EXPECT_EQ(rename("flows/f", "flows/a b").error().code, EINVAL);
  EXPECT_EQ(make("flows/error").error().code, EINVAL);
}

TEST_F(TreeTest, moving_an_object_to_another_kind_is_eperm) {
  EXPECT_EQ(rename("flows/f", "machines/f").error().code, EPERM);
  EXPECT_THAT(*read("error"), HasSubstr("rename flows/f to machines/f: EPERM"));
}

TEST_F(TreeTest, mkdir_outside_a_collection_is_eperm) {
  for (const char* path : {"x", "jobs/x", "flows/f/x", "flows/f/executions/x", "machines/m/points/x"}) {
    const auto made = make(path);
    ASSERT_FALSE(made) << path;
    EXPECT_EQ(made.error().code, EPERM) << path;
  }
  EXPECT_THAT(*read("error"), HasSubstr("mkdir jobs/x: EPERM"));
  EXPECT_THAT(*read("flows/f/error"), HasSubstr("mkdir executions/x: EPERM"));
}

TEST_F(TreeTest, fixed_files_are_not_removed_renamed_or_written) {
  EXPECT_EQ(tree_.unlink(*find("flows/f"), "status.json", asker_).error().code, EPERM);
  EXPECT_EQ(rename("flows/f/config.json", "flows/f/away").error().code, EPERM);
  EXPECT_EQ(open("flows/f/status.json", {.write = true}).error().code, EPERM);
  EXPECT_EQ(remove("flows/f/error").error().code, EPERM);
}

TEST_F(TreeTest, a_rename_over_a_definition_saves_it) {
  ASSERT_TRUE(save_beside("flows/f/sedAbC", kFlow));
  EXPECT_THAT(list("flows/f"), Contains("sedAbC"));
  ASSERT_TRUE(rename("flows/f/sedAbC", "flows/f/config.json"));
  EXPECT_THAT(*read("flows/f/config.json"), HasSubstr("nightly"));
  EXPECT_THAT(list("flows/f"), Not(Contains("sedAbC")));
}

TEST_F(TreeTest, the_reason_of_a_refused_save_survives_the_cleanup_of_an_editor) {
  ASSERT_TRUE(save_beside("flows/f/sedAbC", "{\"x\":1}"));
  EXPECT_EQ(rename("flows/f/sedAbC", "flows/f/config.json").error().code, EINVAL);
  ASSERT_TRUE(tree_.unlink(*find("flows/f"), "sedAbC", asker_));
  EXPECT_THAT(*read("flows/f/error"), HasSubstr("rename sedAbC to config.json: EINVAL"));
}

TEST_F(TreeTest, an_unlinked_definition_is_absent_for_a_moment) {
  ASSERT_TRUE(write("flows/f/config.json", kFlow));
  ASSERT_TRUE(tree_.unlink(*find("flows/f"), "config.json", asker_));
  EXPECT_EQ(find("flows/f/config.json").error().code, ENOENT);
  started_.clock().advance(std::chrono::seconds(6));
  EXPECT_THAT(*read("flows/f/config.json"), HasSubstr("nightly"));

  ASSERT_TRUE(tree_.unlink(*find("flows/f"), "config.json", asker_));
  ASSERT_TRUE(save_beside("flows/f/config.json", "{"));  // made anew, and not whole yet
  EXPECT_THAT(*read("flows/f/config.json"), HasSubstr("nightly"));
}

TEST_F(TreeTest, a_scratch_file_away_from_a_definition_is_refused) {
  for (const char* path : {"jobs/x", "flows/x", "flows/f/executions/x"})
    EXPECT_EQ(save_beside(path, "x").error().code, EPERM) << path;
  EXPECT_EQ(save_beside("flows/f/latest", "x").error().code, EPERM);
}

TEST_F(TreeTest, an_image_has_its_holes) {
  std::string content(4096 * 4, '\0');
  content.replace(4096, 4096, std::string(4096, 'x'));
  started_.define_all();
  started_.add_point(find("machines/m")->object, "T", "disk-0", content);
  const auto it = attributes("machines/m/points/T/disk-0.raw");
  EXPECT_EQ(it.size, content.size());
  EXPECT_EQ(it.bytes_in_use, 4096u);
  const auto image = *open("machines/m/points/T/disk-0.raw", {.read = true});
  EXPECT_EQ(read(*image), content);
  EXPECT_EQ(image->seek(0, OpenFile::Seek::hole), 0u);
  EXPECT_EQ(image->seek(0, OpenFile::Seek::data), 4096u);
  EXPECT_EQ(image->seek(5000, OpenFile::Seek::data), 5000u);
  EXPECT_EQ(image->seek(4096, OpenFile::Seek::hole), 8192u);
  EXPECT_EQ(image->seek(8192, OpenFile::Seek::data).error().code, ENXIO);
  EXPECT_EQ(image->seek(content.size(), OpenFile::Seek::hole).error().code, ENXIO);
}

TEST_F(TreeTest, writing_to_an_image_is_erofs) {
  started_.define_all();
  started_.add_point(find("machines/m")->object, "T", "disk-0", std::string(512, 'x'));
  EXPECT_EQ(open("machines/m/points/T/disk-0.raw", {.write = true}).error().code, EROFS);
  EXPECT_EQ(tree_.change(*find("machines/m/points/T/disk-0.raw"), {.size = 0}, asker_).error().code, EROFS);
}

TEST_F(TreeTest, a_failed_read_is_reported_with_its_disk) {
  started_.define_all();
  const Id point = started_.add_point(find("machines/m")->object, "T", "disk-0", std::string(512, 'x'));
  const auto image = *open("machines/m/points/T/disk-0.raw", {.read = true});
  started_.damage(point);
  EXPECT_EQ(read(*image).error().code, EIO);
  EXPECT_THAT(*read("machines/m/points/T/error"), HasSubstr("read disk-0.raw: EIO: "));
}

TEST_F(TreeTest, a_change_that_changes_nothing_succeeds) {
  const auto now = attributes("flows/f/config.json").ownership;
  EXPECT_TRUE(tree_.change(*find("flows/f/config.json"),
                           {.uid = now.uid, .gid = now.gid, .mode = now.mode, .size = 0}, asker_));
  EXPECT_TRUE(tree_.change(*find("flows/f/control"), {.size = 0}, asker_));
  EXPECT_EQ(tree_.change(*find("flows/f/config.json"), {.mode = 0777}, asker_).error().code, EPERM);
  EXPECT_EQ(tree_.change(*find("flows/f/config.json"), {.size = 3}, asker_).error().code, EINVAL);
}

TEST_F(TreeTest, stat_and_read_agree_on_the_revision) {
  started_.define_all();
  const auto before = attributes("flows/f/status.json");
  started_.clock().advance(std::chrono::seconds(3));
  ASSERT_TRUE(write("flows/f/control", "disable"));
  const auto after = attributes("flows/f/status.json");
  EXPECT_EQ(after.changed_at - before.changed_at, std::chrono::seconds(3));
  EXPECT_EQ(after.size, read("flows/f/status.json")->size());
}

TEST_F(TreeTest, an_unchanged_object_is_rendered_once) {
  const auto text = *read("flows/f/status.json");
  started_.write([](db::Connection& db) {  // behind the engine's back: the flow's revision stays
    return db.execute_script("UPDATE flows SET total_executions = 4711");
  });
  EXPECT_EQ(*read("flows/f/status.json"), text);
  EXPECT_EQ(attributes("flows/f/status.json").size, text.size());
  ASSERT_TRUE(rename("flows/f", "flows/g"));
  EXPECT_THAT(*read("flows/g/status.json"), HasSubstr("4711"));
}

class OwnershipTest : public TreeTest {
 protected:
  OwnershipTest() {
    started_.define_all();
    give(ObjectKind::machine, find("machines/m")->object, {.uid = 1000, .gid = 2000, .mode = 0750});
    give(ObjectKind::repository, find("repositories/r")->object, {.uid = 1000, .gid = 2000, .mode = 0750});
    give(ObjectKind::flow, flow(), {.uid = 1000, .gid = 2000, .mode = 0750});
  }
  void give(ObjectKind kind, Id id, const Ownership& ownership) {
    test::must(engine_.objects().set_ownership(kind, id, ownership, {}));
  }
  void become(std::uint32_t uid, std::uint32_t gid, std::vector<std::uint32_t> groups = {}) {
    asker_ = {uid, gid, 100, std::move(groups)};
  }
};

TEST_F(OwnershipTest, files_have_the_bits_of_their_object) {
  EXPECT_EQ(attributes("flows/f").ownership, (Ownership{1000, 2000, 0750}));
  EXPECT_EQ(attributes("flows/f/config.json").ownership.mode, 0640u);
  EXPECT_EQ(attributes("flows/f/control").ownership.mode, 0640u);
  EXPECT_EQ(attributes("flows/f/status.json").ownership.mode, 0440u);
  EXPECT_EQ(attributes("flows/f/executions").ownership.mode, 0550u);
  EXPECT_EQ(attributes("flows").ownership, (Ownership{0, 0, 0755}));
}

TEST_F(OwnershipTest, the_owner_may_run_and_define_a_flow) {
  become(1000, 1);
  EXPECT_TRUE(write("flows/f/control", "run name=r1"));
  EXPECT_TRUE(write("flows/f/config.json", R"({"target":"machines/m","repository":"r"})"));
}

TEST_F(OwnershipTest, a_supplementary_group_lets_its_members_read) {
  become(1001, 3000, {2000});
  EXPECT_TRUE(read("flows/f/status.json"));
  EXPECT_EQ(write("flows/f/control", "run").error().code, EACCES);
}

TEST_F(OwnershipTest, a_stranger_may_do_nothing) {
  become(1002, 1002);
  EXPECT_EQ(read("flows/f/status.json").error().code, EACCES);
  EXPECT_EQ(write("flows/f/config.json", kFlow).error().code, EACCES);
  EXPECT_EQ(make("flows/g").error().code, EACCES);
  EXPECT_EQ(remove("flows/f").error().code, EACCES);
  EXPECT_THAT(*read("status.json"), HasSubstr("\"flows\": 0"));
}

TEST_F(OwnershipTest, a_listing_has_only_objects_that_the_reader_may_see) {
  become(1002, 1002);
  EXPECT_THAT(list("flows"), testing::IsEmpty());
  become(1000, 1);
  EXPECT_THAT(list("flows"), ElementsAre("f"));
}

TEST_F(OwnershipTest, only_objects_and_collections_change_owner) {
  ASSERT_TRUE(tree_.change(*find("flows/f"), {.uid = 7, .mode = 0700}, asker_));
  EXPECT_EQ(attributes("flows/f").ownership, (Ownership{7, 2000, 0700}));
  ASSERT_TRUE(tree_.change(*find("flows"), {.gid = 2000, .mode = 0775}, asker_));
  EXPECT_EQ(attributes("flows").ownership, (Ownership{0, 2000, 0775}));
  EXPECT_EQ(attributes("machines").ownership, (Ownership{0, 0, 0755}));
  for (const char* path : {"", "jobs", "flows/f/executions", "flows/f/control", "status.json"}) {
    EXPECT_EQ(tree_.change(*find(path), {.uid = 7000}, asker_).error().code, EPERM) << path;
  }
}

TEST_F(OwnershipTest, a_writable_collection_does_not_open_objects_of_others) {
  give(ObjectKind::flow, flow(), {.uid = 1000, .gid = 2000, .mode = 0750});
  ASSERT_TRUE(tree_.change(*find("flows"), {.mode = 0777}, asker_));
  become(1002, 1002);
  EXPECT_EQ(remove("flows/f").error().code, EACCES);
  EXPECT_EQ(rename("flows/f", "flows/g").error().code, EACCES);
  EXPECT_TRUE(make("flows/his"));
  become(1000, 1);
  EXPECT_TRUE(rename("flows/f", "flows/g"));
}

TEST_F(OwnershipTest, a_refusal_is_in_the_event_log) {
  become(1000, 1);
  EXPECT_FALSE(write("flows/f/control", "bogus"));
  const auto events = *engine_.status().events_since(0, 1000, {});
  EXPECT_EQ(events.back().event, "flow.command");
  EXPECT_EQ(events.back().object, "flows/f");
  EXPECT_EQ(events.back().result, EventResult::refused);
  EXPECT_EQ(events.back().by->uid, 1000u);
  EXPECT_THAT(events.back().reason, HasSubstr("'bogus'"));
}

TEST_F(OwnershipTest, a_closed_collection_hides_its_objects) {
  become(1000, 1);
  EXPECT_TRUE(engine_.objects().may_see(ObjectKind::flow, flow(), asker_));
  become(0, 0);
  ASSERT_TRUE(tree_.change(*find("flows"), {.mode = 0700}, asker_));
  become(1000, 1);
  EXPECT_FALSE(engine_.objects().may_see(ObjectKind::flow, flow(), asker_));
  EXPECT_FALSE(engine_.objects().may_see(ObjectKind::flow, 4711, asker_));
}

TEST_F(OwnershipTest, only_root_sets_fields_that_name_the_host) {
  const Id machine = find("machines/m")->object;
  give(ObjectKind::machine, machine, {.uid = 1000, .gid = 1000, .mode = 0750});
  become(1000, 1000);
  const auto refused = write("machines/m/config.json",
                             R"({"driver":"qmp","socket":"/etc/shadow","disks":[{"name":"d","node":"n"}]})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, EPERM);
  EXPECT_THAT(*read("machines/m/error"), HasSubstr("only root"));
}

TEST_F(OwnershipTest, each_user_has_an_error_text_alone) {
  EXPECT_FALSE(write("flows/f/control", "bogus"));
  become(1000, 1);
  EXPECT_EQ(read("flows/f/error"), "");
  EXPECT_FALSE(write("flows/f/control", "other"));
  EXPECT_THAT(*read("flows/f/error"), HasSubstr("'other'"));
  EXPECT_EQ(attributes("flows/f/error").size, read("flows/f/error")->size());
  become(0, 0);
  EXPECT_THAT(*read("flows/f/error"), HasSubstr("'bogus'"));
}

}  // namespace
}  // namespace holdfast::tree
