#include "fsd/tree/outline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fsd/tree/table.h"

namespace holdfast::tree {
namespace {

class TableTest : public testing::Test {
 protected:
  bool has_error(RowIndex directory) const { return outline_.child(directory, NodeKind::error).has_value(); }
  template <class F>
  void each_row(F f) const {
    for (RowIndex row = 0; row < outline_.size(); ++row) {
      SCOPED_TRACE(outline_.at(row).row->path);
      f(row, outline_.at(row));
    }
  }

  Outline outline_{table()};
};

TEST_F(TableTest, each_path_is_in_the_table_once) {
  std::set<std::string_view> paths;
  for (const TableRow& row : table()) EXPECT_TRUE(paths.insert(row.path).second) << row.path;
}

TEST_F(TableTest, every_definition_has_a_schema_and_scratch_files_beside_it) {
  each_row([&](RowIndex row, const Outline::Knot& knot) {
    if (!outline_.child(row, NodeKind::config)) return;
    EXPECT_TRUE(outline_.fixed(row, "config.schema.json"));
    EXPECT_TRUE(outline_.child(row, NodeKind::scratch));
    EXPECT_TRUE(knot.row->kind == NodeKind::object || knot.row->path == "/");
  });
}

TEST_F(TableTest, each_row_has_the_functions_of_its_kind) {
  each_row([&](RowIndex, const Outline::Knot& knot) {
    const TableRow& row = *knot.row;
    EXPECT_EQ(row.kind == NodeKind::generated, row.show != nullptr || row.show_to != nullptr);
    EXPECT_EQ(row.kind == NodeKind::config, row.config.print != nullptr && row.config.commit != nullptr);
    EXPECT_EQ(row.kind == NodeKind::control, !row.verbs.empty());
    EXPECT_EQ(row.kind == NodeKind::wait, row.subject != nullptr);
    EXPECT_EQ(row.kind == NodeKind::link, row.to_name != nullptr);
  });
}

TEST_F(TableTest, files_of_the_daemon_have_no_write_bits) {
  each_row([&](RowIndex, const Outline::Knot& knot) {
    const NodeKind kind = knot.row->kind;
    if (kind == NodeKind::config || kind == NodeKind::control || kind == NodeKind::scratch ||
        kind == NodeKind::collection || kind == NodeKind::object || kind == NodeKind::link ||
        kind == NodeKind::image ||                                               // writing is EROFS
        knot.row->path == "/" || knot.row->path == "/groups/{group}/members" ||  // links are made there
        knot.row->path == "/machines/{machine}/points")                          // and points removed here
      return;
    EXPECT_EQ(knot.row->bits & 0222, 0u);
  });
}

// A copy of an image has its mode: QEMU must be able to open it for writing.
TEST_F(TableTest, images_are_for_owner_and_group_only_and_their_copies_for_the_owner_to_write) {
  each_row([&](RowIndex, const Outline::Knot& knot) {
    EXPECT_TRUE(knot.row->kind != NodeKind::image || knot.row->bits == 0640u);
  });
}

// A glob over a listing must give objects alone.
TEST_F(TableTest, only_the_root_and_objects_hold_an_error_file) {
  each_row([&](RowIndex row, const Outline::Knot& knot) {
    const bool is_object = knot.row->kind == NodeKind::object && knot.row->resolve == nullptr;
    EXPECT_EQ(has_error(row), row == 0 || is_object);
  });
}

TEST_F(TableTest, a_link_leads_to_its_target_by_the_shortest_path) {
  const auto target = [&](std::string_view path, std::string_view name) {
    return outline_.relative_target(outline_.row_of(path), name);
  };
  EXPECT_EQ(target("/machines/{machine}/latest", "T"), "points/T");
  EXPECT_EQ(target("/flows/{flow}/latest", "r1"), "executions/r1");
  EXPECT_EQ(target("/flows/{flow}/executions/{execution}/jobs/{job}", "j"), "../../../../../jobs/j");
  EXPECT_EQ(target("/machines/{machine}/at/{when}", "T"), "../points/T");
  EXPECT_EQ(target("/groups/{group}/at/{moment}/{point_of_machine}", "m/T"),
            "../../../../machines/m/points/T");
}

TEST_F(TableTest, a_node_belongs_to_the_last_object_of_its_path) {
  const auto subject = [&](std::string_view path) {
    return outline_.subject_of({outline_.row_of(path), 20, 10});
  };
  EXPECT_EQ(subject("/status.json"), std::nullopt);
  EXPECT_EQ(subject("/flows"), std::nullopt);
  EXPECT_EQ(subject("/flows/{flow}/executions"), (ObjectId{ObjectKind::flow, 20}));
  EXPECT_EQ(subject("/flows/{flow}/executions/{execution}/wait"), (ObjectId{ObjectKind::execution, 20}));
  EXPECT_EQ(subject("/machines/{machine}/disks/{disk}/status.json"), (ObjectId{ObjectKind::machine, 10}));
}

TEST_F(TableTest, a_path_is_shown_with_its_placeholders_in_capitals) {
  const auto shown = [&](std::string_view path) { return outline_.shown_path(outline_.row_of(path)); };
  EXPECT_EQ(shown("/"), "/");
  EXPECT_EQ(shown("/machines/{machine}/points/{point}/{point_disk}.raw"),
            "/machines/MACHINE/points/POINT/DISK.raw");
  EXPECT_EQ(shown("/machines/{machine}/diff/{two_points}"), "/machines/MACHINE/diff/A..B");
}

TEST_F(TableTest, each_row_has_a_description) {
  each_row([&](RowIndex row, const Outline::Knot& knot) {
    EXPECT_EQ(knot.row->about.empty(), row == 0 || knot.row->kind == NodeKind::scratch);
  });
}

TEST(InodeNumbers, inode_numbers_of_many_nodes_all_differ) {
  std::set<std::uint64_t> seen;
  for (Id object = 0; object < 2000; ++object)
    for (RowIndex row = 0; row < 60; ++row) seen.insert(inode_number({row, object, 0}));
  EXPECT_EQ(seen.size(), 2000u * 60u);
  EXPECT_EQ(inode_number({}), 1u);
}

}  // namespace
}  // namespace holdfast::tree
