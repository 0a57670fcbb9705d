// Tests files that are unusable, or that change while they are read.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "tests/sources/fixture.h"
#include "tests/sources/peers.h"

namespace holdfast::test {
namespace {

using ::testing::HasSubstr;

class Files : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Capture>> prepare(const std::string& path) {
    source::PrepareRequest request;
    request.disks.push_back({a_disk("d", {{"path", path}})});
    return driver_.prepare(request, ledger_);
  }
  Error refusal(const std::string& path) {
    const auto capture = prepare(path);
    EXPECT_FALSE(capture);
    return capture ? Error{} : capture.error();
  }
  static Result<> ignore(std::uint64_t, ByteView) { return {}; }

  TemporaryDirectory state_;
  RawFiles files_;
  FileLedger ledger_{state_ / "ledger"};
  source::file::FileDriver driver_;
};

TEST_F(Files, a_file_truncated_while_it_is_read_is_an_error_and_never_zeros) {
  RawFiles::write(files_.path(0), 0, Bytes(Peer::kSize, std::byte{'a'}));
  auto capture = prepare(files_.path(0)).value();
  auto reader = capture->open(0).value();
  const Range all{0, Peer::kSize};
  const auto truncate = [&](std::uint64_t, ByteView data) -> Result<> {
    EXPECT_FALSE(is_zero(data));
    std::filesystem::resize_file(files_.path(0), kMiB);
    return {};
  };
  const auto read = reader->read({&all, 1}, truncate, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, EIO);
  EXPECT_THAT(read.error().message,
              HasSubstr("was truncated while it was read: it has 1048576 bytes, and had "));
  const auto extents = reader->extents(0, Peer::kSize);
  ASSERT_FALSE(extents) << "what is beyond the end is no hole";
  EXPECT_THAT(extents.error().message, HasSubstr("was truncated"));
}

TEST_F(Files, a_file_that_the_daemon_may_not_read_is_named) {
  ASSERT_EQ(::chmod(files_.path(0).c_str(), 0600), 0);
  ASSERT_EQ(::chmod(std::filesystem::path(files_.path(0)).parent_path().c_str(), 0755), 0);
  ASSERT_EQ(::seteuid(65534), 0);
  const Error error = refusal(files_.path(0));
  ASSERT_EQ(::seteuid(0), 0);
  EXPECT_EQ(error.code, EACCES);
  EXPECT_THAT(error.message, HasSubstr("may not be read by the daemon"));
}

TEST_F(Files, a_read_error_of_the_file_system_names_its_offset) {
  StorageDaemon server({{.node = "a", .size = Peer::kSize}});
  server.fill("a", 0, Peer::kSize, 'a');
  auto capture = prepare(server.window("a")).value();
  auto reader = capture->open(0).value();
  const Range all{0, Peer::kSize};
  std::uint64_t moved = 0;
  const auto kill = [&](std::uint64_t, ByteView data) -> Result<> {
    if (moved == 0) server.process().signal(SIGKILL);
    moved += data.size();
    return {};
  };
  const auto read = reader->read({&all, 1}, kill, Cancel{});
  ASSERT_FALSE(read);
  EXPECT_THAT(read.error().message, HasSubstr(server.window("a")));
  EXPECT_LT(moved, Peer::kSize);
  reader.reset();
  ASSERT_TRUE(capture->commit()) << "there is nothing to give back";
}

TEST_F(Files, a_file_twice_in_a_machine_is_refused) {
  source::PrepareRequest request;
  request.disks.push_back({a_disk("d", {{"path", files_.path(0)}})});
  request.disks.push_back({a_disk("e", {{"path", files_.path(0)}})});
  const auto capture = driver_.prepare(request, ledger_);
  ASSERT_FALSE(capture);
  EXPECT_THAT(capture.error().message, HasSubstr("disks d and e are the same"));
}

TEST_F(Files, a_file_keeps_its_identity_and_its_replacement_has_another) {
  const auto identity = [&] { return prepare(files_.path(0)).value()->disks()[0].identity; };
  const std::string first = identity();
  EXPECT_NE(first, "");
  RawFiles::write(files_.path(0), 0, Bytes(10, std::byte{'a'}));
  EXPECT_EQ(identity(), first);
  std::filesystem::copy_file(files_.path(0), files_.path("c"));
  std::filesystem::rename(files_.path("c"), files_.path(0));
  EXPECT_NE(identity(), first);
}

TEST_F(Files, a_symbolic_link_anywhere_in_the_path_is_refused) {
  std::filesystem::create_symlink(std::filesystem::path(files_.path(0)).parent_path(), state_ / "way");
  EXPECT_EQ(refusal(state_ / "way/a.raw").code, ELOOP);
  EXPECT_TRUE(prepare(files_.path(0)));
}

}  // namespace
}  // namespace holdfast::test
