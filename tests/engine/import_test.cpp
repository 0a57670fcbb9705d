// Tests who may import; tests/mount tests the imports themselves.
#include <gtest/gtest.h>

#include "engine/engine.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::test {
namespace {

TEST(Import, only_root_may_import_because_it_names_a_file_of_the_host) {
  const TemporaryDirectory folder, repositories;
  const auto engine = Engine::start({.state = folder.path()});
  ASSERT_TRUE(engine) << engine.error().message;
  const Caller root, user{.uid = 1000, .gid = 1000, .pid = 1};
  const auto repository = (*engine)->objects().create(ObjectKind::repository, "r", root);
  ASSERT_TRUE(repository);
  ASSERT_TRUE(
      (*engine)->objects().define(*repository, RepositoryDefinition{.path = repositories.path()}, root));
  ASSERT_TRUE((*engine)->objects().create(ObjectKind::machine, "m", user));

  const ImportRequest request{.file = "/absent", .machine = "m"};
  const auto as_user = (*engine)->requests().import_image(*repository, request, user);
  ASSERT_FALSE(as_user);
  EXPECT_EQ(as_user.error().code, EPERM);
  const auto as_root =
      (*engine)->requests().import_image(*repository, request, root);  // root gets as far as the file
  ASSERT_FALSE(as_root);
  EXPECT_EQ(as_root.error().code, ENOENT);
  EXPECT_TRUE((*engine)->objects().list(ObjectKind::job, 0)->empty());
}

}  // namespace
}  // namespace holdfast::test
