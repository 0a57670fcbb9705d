// Tests captures whose process is killed: the sweep leaves nothing, and no change is lost (law 3).
#include "tests/sources/fixture.h"

namespace holdfast::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using KilledCapture = QmpDriverTest;

TEST_F(KilledCapture, a_sigkill_at_any_step_is_swept_clean_and_loses_no_change) {
  boot({{.node = "disk0"}, {.node = "disk1", .format = "raw", .size = 4 * kMiB}});
  daemon_->fill("disk0", 0, 2 * kMiB, 'a');
  daemon_->fill("disk1", 0, kMiB, 'a');
  const std::vector<std::string> nodes{"disk0", "disk1"};
  std::map<std::string, std::string> since;
  std::map<std::string, Bytes> record;
  const auto next = [&] {
    auto capture = driver_.prepare(request(machine(nodes), since), ledger_).value();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      EXPECT_EQ(capture->disks()[i].full_reason.has_value(), since.size() < nodes.size());
      record[nodes[i]] = read_all(*capture, i, record[nodes[i]]);
      ASSERT_EQ(record[nodes[i]], daemon_->truth(nodes[i]));
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) since[nodes[i]] = capture->disks()[i].change_id;
    ASSERT_TRUE(capture->commit());
  };
  next();

  for (const bool commits : {false, true}) {
    bool died = true;
    for (int step = 0; died; ++step) {
      SCOPED_TRACE(testing::Message() << (commits ? "committing" : "abandoning") << ", step " << step);
      daemon_->fill("disk0", (static_cast<std::uint64_t>(step) % 30) * 300'000, 70'000,
                    static_cast<char>(step));
      const Json before = traces();
      const std::string marks = state_ / "committed";
      const pid_t child = ::fork();
      if (child == 0) {
        DyingLedger dying(ledger_, step);
        auto capture = driver_.prepare(request(machine(nodes), since), dying);
        if (!capture) ::_exit(1);
        if (commits) {
          std::ofstream mark(marks);  // as the catalog does: the point is committed with its change ids
          for (const auto& disk : (*capture)->disks()) mark << disk.change_id << '\n';
        }
        const auto ended = commits ? (*capture)->commit() : (*capture)->abandon();
        ::_exit(ended ? 0 : 1);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      died = WIFSIGNALED(status);
      ASSERT_TRUE(died || WEXITSTATUS(status) == 0);

      const auto released = sweep(source::PointFate::unknown);
      ASSERT_TRUE(released) << released.error().message;
      EXPECT_THAT(ledger_.leftovers(), testing::Each(testing::Field(&Leftover::kind, LeftoverKind::bitmap)));
      daemon_->fill("disk1", (static_cast<std::uint64_t>(step) % 9) * 300'000, 10'000,
                    static_cast<char>(step));
      std::ifstream mark(marks);
      const bool committed = mark.is_open();
      const auto swept = sweep(committed ? source::PointFate::committed : source::PointFate::failed);
      ASSERT_TRUE(swept) << swept.error().message;
      EXPECT_THAT(ledger_.leftovers(), IsEmpty());
      if (committed) {
        for (const std::string& node : nodes) std::getline(mark, since[node]);
        // The child has read that point; in this process its content is the record of the freeze.
        record["disk0"] = daemon_->truth("disk0");
        std::filesystem::remove(marks);
        EXPECT_THAT(bitmaps("disk0"), ElementsAre(since["disk0"]));
        EXPECT_THAT(bitmaps("disk1"), ElementsAre(since["disk1"]));
      } else {
        EXPECT_EQ(traces(), before);
      }
      next();
    }
  }
}

}  // namespace
}  // namespace holdfast::test
