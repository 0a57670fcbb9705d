#include "fsd/mount/node_ids.h"

#include <gtest/gtest.h>

namespace holdfast::mount {
namespace {

const tree::TreeNode kPlace{5, 42, 7};

TEST(NodeIds, KnowTheRootFromTheBeginning) {
  const NodeIds node_ids(1);
  EXPECT_EQ(node_ids.find(NodeIds::kRoot), tree::TreeNode{});
}

TEST(NodeIds, GiveOnePlaceOneIdWhileItIsKnown) {
  NodeIds node_ids(1);
  const auto id = node_ids.remember(kPlace);
  EXPECT_EQ(node_ids.remember(kPlace), id);
  EXPECT_EQ(node_ids.find(id)->parent, 7);
}

TEST(NodeIds, ForgetWhatTheKernelHasForgottenAsOftenAsItLookedItUp) {
  NodeIds node_ids(1);
  const auto id = node_ids.remember(kPlace);
  node_ids.remember(kPlace);
  node_ids.forget(id, 1);
  EXPECT_TRUE(node_ids.find(id));
  node_ids.forget(id, 1);
  EXPECT_FALSE(node_ids.find(id));
  EXPECT_EQ(node_ids.size(), 1u);
}

TEST(NodeIds, NeverReuseAnId) {
  NodeIds node_ids(1);
  const auto id = node_ids.remember(kPlace);
  node_ids.forget(id, 1);
  EXPECT_GT(node_ids.remember(kPlace), id);
}

TEST(NodeIds, NeverForgetTheRoot) {
  NodeIds node_ids(1);
  node_ids.forget(NodeIds::kRoot, 1000);
  EXPECT_TRUE(node_ids.find(NodeIds::kRoot));
}

}  // namespace
}  // namespace holdfast::mount
