// The real Directory and File: what they do, and that nothing leads out of them.
#include "catalog/base/disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/lib/small_file_system.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;

class DiskTest : public testing::Test {
 protected:
  DiskTest() {
    std::string pattern = fs::temp_directory_path() / "holdfast-disk-XXXXXX";
    root = mkdtemp(pattern.data());
    fs::create_directory(root / "inside");
    fs::create_directory(root / "outside");
    std::ofstream(root / "outside" / "secret") << "secret";
    auto opened = open_directory(root / "inside");
    EXPECT_TRUE(opened);
    directory = std::move(*opened);
  }
  ~DiskTest() override { fs::remove_all(root); }

  static int code_of(const auto& result) { return result ? 0 : result.error().code; }

  std::vector<std::string> names(const std::string& path = ".") {
    std::vector<std::string> found;
    const auto entries = directory->list(path).value();
    for (const auto& entry : entries) found.push_back(entry.name + (entry.is_directory ? "/" : ""));
    return found;
  }

  fs::path root;
  std::unique_ptr<Directory> directory;
};

TEST_F(DiskTest, a_missing_directory_is_enoent) {
  EXPECT_EQ(code_of(open_directory(root / "nowhere")), ENOENT);
  EXPECT_EQ(code_of(open_directory(root / "outside" / "secret")), ENOTDIR);
}

TEST_F(DiskTest, a_file_is_written_and_read_at_positions) {
  auto file = directory->create("a").value();
  ASSERT_TRUE(file->write_at(10, as_bytes("hello")));
  EXPECT_EQ(file->size(), 15u);
  Bytes bytes(20, std::byte{'x'});
  EXPECT_EQ(file->read_at(8, bytes), 7u) << "what there is until its end";
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), 7), std::string("\0\0hello", 7));
  EXPECT_EQ(file->read_at(100, bytes), 0u);
  ASSERT_TRUE(file->truncate(12));
  EXPECT_EQ(file->size(), 12u);
  EXPECT_TRUE(file->sync_data());
}

TEST_F(DiskTest, a_file_opened_for_reading_is_not_written) {
  ASSERT_TRUE(write_new_file(*directory, "a", "x"));
  const auto file = directory->open("a", Access::read).value();
  EXPECT_EQ(code_of(file->write_at(0, as_bytes("y"))), EBADF);
}

std::ptrdiff_t open_descriptors() {
  return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator{});
}

TEST_F(DiskTest, a_file_opened_a_hundred_times_for_reading_takes_one_descriptor) {
  ASSERT_TRUE(write_new_file(*directory, "a", "x"));
  const auto before = open_descriptors();
  std::vector<std::unique_ptr<File>> files;
  for (int i = 0; i < 100; ++i) {
    // Also through another directory: a repository is opened anew while its readers go on.
    const auto again = open_directory(root / "inside").value();
    files.push_back((i % 2 == 0 ? directory : again)->open("a", Access::read).value());
  }
  EXPECT_EQ(open_descriptors(), before + 1);
  files.erase(files.begin(), files.end() - 1);
  Bytes byte(1);
  EXPECT_EQ(files.front()->read_at(0, byte), 1u) << "the last reader keeps it";
  files.clear();
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(DiskTest, a_reader_of_a_replaced_file_keeps_the_old_one_and_a_new_reader_gets_the_new_one) {
  const auto content = [](const File& file) {
    Bytes bytes(8);
    const std::size_t got = file.read_at(0, bytes).value();
    return std::string(reinterpret_cast<const char*>(bytes.data()), got);
  };
  ASSERT_TRUE(write_new_file(*directory, "a", "old"));
  const auto before = directory->open("a", Access::read).value();
  ASSERT_TRUE(replace_file(*directory, "a", "new"));
  const auto after = directory->open("a", Access::read).value();
  EXPECT_EQ(content(*before), "old");
  EXPECT_EQ(content(*after), "new");
  EXPECT_EQ(content(*directory->open("a", Access::read).value()), "new");
}

// Law 14.
TEST_F(DiskTest, a_replacement_that_finds_no_room_leaves_the_old_file_and_nothing_else) {
  const test::SmallFileSystem small(64 * kKiB);
  const auto full = open_directory(small.path()).value();
  ASSERT_TRUE(write_new_file(*full, "a", "old"));
  EXPECT_EQ(code_of(replace_file(*full, "a", std::string(kMiB, 'x'))), ENOSPC);
  EXPECT_EQ(read_small_file(*full, "a").value(), "old");
  EXPECT_EQ(full->list(".")->size(), 1u);
}

TEST_F(DiskTest, a_writer_has_a_descriptor_of_its_own) {
  ASSERT_TRUE(write_new_file(*directory, "a", "x"));
  const auto reader = directory->open("a", Access::read).value();
  const auto writer = directory->open("a", Access::write).value();
  EXPECT_TRUE(writer->write_at(0, as_bytes("y")));
  Bytes byte(1);
  EXPECT_EQ(reader->read_at(0, byte), 1u);
  EXPECT_EQ(byte.front(), std::byte{'y'});
}

TEST_F(DiskTest, punching_gives_back_space_and_keeps_the_size) {
  auto file = directory->create("a").value();
  ASSERT_TRUE(file->write_at(0, Bytes(1 << 20, std::byte{7})));
  ASSERT_TRUE(file->sync_data());
  const std::uint64_t before = file->allocated().value();
  ASSERT_TRUE(file->punch(0, 1 << 19));
  ASSERT_TRUE(file->sync_data());
  EXPECT_LT(file->allocated().value(), before);
  EXPECT_EQ(file->size(), 1u << 20);
  Bytes bytes(4096);
  ASSERT_TRUE(file->read_at(0, bytes));
  EXPECT_TRUE(is_zero(bytes));
}

TEST_F(DiskTest, punching_without_support_of_the_file_system_is_eopnotsupp_and_changes_nothing) {
  const test::FileSystemWithoutHoles files;
  const auto without = open_directory(files.path()).value();
  auto file = without->create("a").value();
  ASSERT_TRUE(file->write_at(0, Bytes(8192, std::byte{7})));
  EXPECT_EQ(code_of(file->punch(0, 8192)), EOPNOTSUPP);
  Bytes bytes(8192);
  ASSERT_TRUE(file->read_at(0, bytes));
  EXPECT_EQ(bytes, Bytes(8192, std::byte{7}));
}

TEST_F(DiskTest, creating_does_not_replace) {
  ASSERT_TRUE(write_new_file(*directory, "a", "first"));
  EXPECT_EQ(code_of(directory->create("a")), EEXIST);
  EXPECT_EQ(read_small_file(*directory, "a"), "first");
}

TEST_F(DiskTest, new_files_and_directories_are_for_their_owner_alone) {
  ASSERT_TRUE(directory->make_directory("d"));
  ASSERT_TRUE(write_new_file(*directory, "d/a", ""));
  EXPECT_EQ(fs::status(root / "inside" / "d").permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(root / "inside" / "d" / "a").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(DiskTest, entries_are_listed_by_name_with_their_kind) {
  ASSERT_TRUE(directory->make_directory("c"));
  ASSERT_TRUE(write_new_file(*directory, "b", ""));
  ASSERT_TRUE(write_new_file(*directory, "c/a", ""));
  fs::create_directory_symlink("/", root / "inside" / "link");
  EXPECT_THAT(names(), ElementsAre("b", "c/", "link"));
  EXPECT_THAT(names("c"), ElementsAre("a"));
  EXPECT_EQ(code_of(directory->list("nowhere")), ENOENT);
  EXPECT_EQ(code_of(directory->list("b")), ENOTDIR);
}

TEST_F(DiskTest, listing_leaves_no_descriptor_open) {
  const auto open_files = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), {}); };
  const auto before = open_files();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(directory->list("."));
  EXPECT_EQ(open_files(), before);
}

TEST_F(DiskTest, renaming_replaces_a_file) {
  ASSERT_TRUE(write_new_file(*directory, "a", "new"));
  ASSERT_TRUE(write_new_file(*directory, "b", "old"));
  ASSERT_TRUE(directory->make_directory("d"));
  ASSERT_TRUE(directory->rename("a", "b"));
  ASSERT_TRUE(directory->rename("b", "d/b"));
  EXPECT_EQ(read_small_file(*directory, "d/b"), "new");
  EXPECT_THAT(names(), ElementsAre("d/"));
  EXPECT_TRUE(directory->sync("."));
  EXPECT_TRUE(directory->sync("d"));
}

TEST_F(DiskTest, files_and_empty_directories_are_removed) {
  ASSERT_TRUE(directory->make_directory("d"));
  ASSERT_TRUE(write_new_file(*directory, "d/a", ""));
  EXPECT_EQ(code_of(directory->remove("d")), ENOTEMPTY);
  EXPECT_TRUE(directory->remove("d/a"));
  EXPECT_TRUE(directory->remove("d"));
  EXPECT_EQ(code_of(directory->remove("d")), ENOENT);
}

TEST_F(DiskTest, a_link_exists_and_is_removed_without_its_target) {
  fs::create_directory_symlink(root / "outside", root / "inside" / "link");
  fs::create_symlink("nowhere", root / "inside" / "dangling");
  for (const char* link : {"link", "dangling"}) {
    EXPECT_EQ(directory->exists(link), true) << link;
    EXPECT_TRUE(remove_tree(*directory, link)) << link;
    EXPECT_EQ(directory->exists(link), false) << link;
  }
  EXPECT_TRUE(fs::exists(root / "outside"));
}

TEST_F(DiskTest, a_tree_is_removed_without_following_its_links) {
  ASSERT_TRUE(directory->make_directory("d"));
  ASSERT_TRUE(directory->make_directory("d/e"));
  ASSERT_TRUE(write_new_file(*directory, "d/e/a", ""));
  fs::create_directory_symlink(root / "outside", root / "inside" / "d" / "link");
  ASSERT_TRUE(remove_tree(*directory, "d"));
  EXPECT_TRUE(remove_tree(*directory, "d")) << "missing is fine";
  EXPECT_THAT(names(), ElementsAre());
  EXPECT_TRUE(fs::exists(root / "outside" / "secret"));
}

TEST_F(DiskTest, a_small_file_is_replaced_as_a_whole_whatever_an_earlier_try_left) {
  ASSERT_TRUE(directory->make_directory("d"));
  ASSERT_TRUE(write_new_file(*directory, "d/a", "old"));
  ASSERT_TRUE(write_new_file(*directory, "d/a.new", "of an earlier try"));
  ASSERT_TRUE(replace_file(*directory, "d/a", "new"));
  EXPECT_EQ(read_small_file(*directory, "d/a"), "new");
  EXPECT_THAT(names("d"), ElementsAre("a"));
}

TEST_F(DiskTest, a_file_that_is_not_small_is_not_read) {
  ASSERT_TRUE(write_new_file(*directory, "a", "12345"));
  EXPECT_EQ(code_of(read_small_file(*directory, "a", 4)), EFBIG);
}

TEST_F(DiskTest, exists_tells_whether_a_path_is_there) {
  ASSERT_TRUE(write_new_file(*directory, "a", ""));
  EXPECT_EQ(directory->exists("a"), true);
  EXPECT_EQ(directory->exists("b"), false);
  EXPECT_EQ(directory->exists("."), true);
}

TEST_F(DiskTest, space_is_that_of_its_file_system) {
  const auto space = directory->space().value();
  EXPECT_EQ(space.capacity, fs::space(root).capacity);
  EXPECT_LE(space.free, space.capacity);
}

// Each way out, by every operation: all are refused, and what is outside stays as it was.
class Escape : public DiskTest, public testing::WithParamInterface<const char*> {};

TEST_P(Escape, is_refused_by_every_operation) {
  fs::create_directory_symlink("../outside", root / "inside" / "dirlink");
  fs::create_symlink("../outside/secret", root / "inside" / "filelink");
  ASSERT_TRUE(write_new_file(*directory, "mine", "mine"));
  const std::string way =
      GetParam() == std::string_view("ABSOLUTE") ? root / "outside" / "secret" : fs::path(GetParam());
  EXPECT_NE(code_of(directory->open(way, Access::read)), 0);
  EXPECT_NE(code_of(directory->open(way, Access::write)), 0);
  EXPECT_NE(code_of(directory->create(way)), 0);
  EXPECT_NE(code_of(directory->list(way)), 0);
  EXPECT_NE(code_of(read_small_file(*directory, way)), 0);
  if (way != "filelink") {  // a link itself may be named as an entry: it is replaced or removed, not followed
    EXPECT_NE(code_of(directory->make_directory(way + ".d")), 0);
    EXPECT_NE(code_of(directory->rename("mine", way)), 0);
    EXPECT_NE(code_of(directory->rename(way, "taken")), 0);
    EXPECT_NE(code_of(directory->remove(way)), 0);
    EXPECT_NE(code_of(replace_file(*directory, way, "changed")), 0);
    EXPECT_NE(code_of(remove_tree(*directory, way)), 0);
  }
  std::string secret;
  std::getline(std::ifstream(root / "outside" / "secret") >> std::ws, secret);
  EXPECT_EQ(secret, "secret");
  EXPECT_EQ(std::distance(fs::directory_iterator(root / "outside"), {}), 1);
}

INSTANTIATE_TEST_SUITE_P(By, Escape,
                         testing::Values("../outside/secret", "./../outside/secret", "dirlink/secret",
                                         "filelink", "ABSOLUTE"));

}  // namespace
}  // namespace holdfast
