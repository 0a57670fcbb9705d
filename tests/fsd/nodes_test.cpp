#include "fsd/mount/nodes.h"

#include <gtest/gtest.h>

namespace holdfast::mount {
namespace {

const tree::Place kPlace{5, 42, 7};

TEST(Nodes, KnowTheRootFromTheBeginning) {
  const Nodes nodes(1);
  EXPECT_EQ(nodes.find(Nodes::kRoot), tree::Place{});
}

TEST(Nodes, GiveOnePlaceOneIdWhileItIsKnown) {
  Nodes nodes(1);
  const auto id = nodes.remember(kPlace);
  EXPECT_EQ(nodes.remember(kPlace), id);
  EXPECT_EQ(nodes.find(id)->parent, 7);
}

TEST(Nodes, ForgetWhatTheKernelHasForgottenAsOftenAsItLookedItUp) {
  Nodes nodes(1);
  const auto id = nodes.remember(kPlace);
  nodes.remember(kPlace);
  nodes.forget(id, 1);
  EXPECT_TRUE(nodes.find(id));
  nodes.forget(id, 1);
  EXPECT_FALSE(nodes.find(id));
  EXPECT_EQ(nodes.size(), 1u);
}

TEST(Nodes, NeverReuseAnId) {
  Nodes nodes(1);
  const auto id = nodes.remember(kPlace);
  nodes.forget(id, 1);
  EXPECT_GT(nodes.remember(kPlace), id);
}

TEST(Nodes, NeverForgetTheRoot) {
  Nodes nodes(1);
  nodes.forget(Nodes::kRoot, 1000);
  EXPECT_TRUE(nodes.find(Nodes::kRoot));
}

}  // namespace
}  // namespace holdfast::mount
