#include "fsd/mount/node_ids.h"

#include <gtest/gtest.h>

namespace holdfast::mount {
namespace {

const tree::TreeNode kNode{5, 42, 7};

TEST(NodeIds, the_root_is_known_from_the_start) {
  const NodeIds node_ids(1);
  EXPECT_EQ(node_ids.find(NodeIds::kRoot), tree::TreeNode{});
}

TEST(NodeIds, a_node_keeps_its_id_while_it_is_known) {
  NodeIds node_ids(1);
  const auto id = node_ids.remember(kNode);
  EXPECT_EQ(node_ids.remember(kNode), id);
  EXPECT_EQ(node_ids.find(id)->parent, 7);
}

TEST(NodeIds, a_node_is_forgotten_after_as_many_forgets_as_lookups) {
  NodeIds node_ids(1);
  const auto id = node_ids.remember(kNode);
  node_ids.remember(kNode);
  node_ids.forget(id, 1);
  EXPECT_TRUE(node_ids.find(id));
  node_ids.forget(id, 1);
  EXPECT_FALSE(node_ids.find(id));
  EXPECT_EQ(node_ids.size(), 1u);
}

TEST(NodeIds, an_id_is_never_reused) {
  NodeIds node_ids(1);
  const auto id = node_ids.remember(kNode);
  node_ids.forget(id, 1);
  EXPECT_GT(node_ids.remember(kNode), id);
}

TEST(NodeIds, the_root_is_never_forgotten) {
  NodeIds node_ids(1);
  node_ids.forget(NodeIds::kRoot, 1000);
  EXPECT_TRUE(node_ids.find(NodeIds::kRoot));
}

}  // namespace
}  // namespace holdfast::mount
