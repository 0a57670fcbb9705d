// Proves the freeze (law 4). A writer never stops, logs each write before it makes it, and has at most one
// write in flight. A correct instant is the state after some prefix of that log, on both disks the same one.
#include <atomic>
#include <random>

#include "tests/sources/fixture.h"

namespace holdfast::test {
namespace {

constexpr std::uint64_t kBlock = 64 * kKiB;
constexpr std::uint64_t kBlocks = 48;

// Writes: number k fills block b(k) of disk0 with k, and then block b(k) of disk1.
class Writer {
 public:
  Writer(StorageDaemon& daemon, unsigned seed) : daemon_(daemon), random_(seed), thread_([this] { run(); }) {}
  ~Writer() {
    if (thread_.joinable()) stop();
  }
  void stop() {
    stopping_ = true;
    thread_.join();
  }
  void await(std::uint32_t writes) const {
    for (std::uint32_t now = written_; now < writes; now = written_) written_.wait(now);
  }
  std::uint32_t written() const { return written_; }
  // Returns b(1), b(2) …; call it after the writer has stopped.
  const std::vector<std::uint64_t>& log() const { return log_; }

 private:
  void run() {
    std::vector<std::uint32_t> block(kBlock / sizeof(std::uint32_t));
    for (std::uint32_t k = 1; !stopping_; ++k) {
      log_.push_back(random_() % kBlocks);
      std::ranges::fill(block, k);
      for (const char* node : {"disk0", "disk1"})
        daemon_.write(node, log_.back() * kBlock, std::as_bytes(std::span(block)));
      written_ = k;
      written_.notify_all();
    }
  }

  StorageDaemon& daemon_;
  std::mt19937 random_;
  std::vector<std::uint64_t> log_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::uint32_t> written_ = 0;
  std::thread thread_;
};

std::uint32_t number_at(const Bytes& disk, std::uint64_t offset) {
  std::uint32_t number;
  std::memcpy(&number, &disk[offset], sizeof number);
  return number;
}

// Returns the newest write on the disk if the disk is the state after exactly that write; otherwise a
// complaint.
Result<std::uint32_t> prefix_of(const Bytes& disk, const std::vector<std::uint64_t>& log) {
  std::uint32_t newest = 0;
  for (std::uint64_t at = 0; at < disk.size(); at += sizeof newest)
    newest = std::max(newest, number_at(disk, at));
  if (newest > log.size()) return fail(EIO, "{} was never written", newest);
  std::vector<std::uint32_t> expected(kBlocks);
  for (std::uint32_t k = 1; k <= newest; ++k) expected[log[k - 1]] = k;
  for (std::uint64_t at = 0; at < disk.size(); at += sizeof newest)
    if (const auto found = number_at(disk, at); found != expected[at / kBlock])
      return fail(EIO, "at {} is write {}, where after write {} there is {}", at, found, newest,
                  expected[at / kBlock]);
  return newest;
}

class Instant : public QmpDriverTest {};

TEST_F(Instant, both_disks_have_the_same_instant_while_they_are_written_to) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  boot({{.node = "disk0", .size = kBlocks * kBlock}, {.node = "disk1", .size = kBlocks * kBlock}});
  const auto both = machine({"disk0", "disk1"});
  std::map<std::string, std::string> since;
  std::vector<std::vector<Bytes>> points;
  std::vector<Bytes> copies(2, Bytes(kBlocks * kBlock));
  Writer writer(*daemon_, seed);
  for (int round = 0; round < 15; ++round) {
    writer.await(writer.written() + 5);
    const auto prepared = driver_.prepare(request(both, since), ledger_);
    ASSERT_TRUE(prepared) << prepared.error().message;
    const auto& capture = *prepared;
    EXPECT_EQ(capture->disks()[0].full_reason.has_value(), round == 0);
    writer.await(writer.written() + 5);  // the writer goes on during the reading
    for (std::size_t i = 0; i < 2; ++i) copies[i] = read_all(*capture, i, copies[i]);
    points.push_back(copies);
    if (round % 4 == 3) {
      const auto abandoned = capture->abandon();
      ASSERT_TRUE(abandoned) << abandoned.error().message;
      copies = points[points.size() - 2];
      continue;
    }
    for (std::size_t i = 0; i < 2; ++i) since["disk" + std::to_string(i)] = capture->disks()[i].change_id;
    const auto committed = capture->commit();
    ASSERT_TRUE(committed) << committed.error().message;
  }
  writer.stop();

  std::uint32_t before = 0;
  for (const auto& point : points) {
    const auto first = prefix_of(point[0], writer.log()), second = prefix_of(point[1], writer.log());
    ASSERT_TRUE(first) << first.error().message;
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_GE(*first, *second);
    EXPECT_LE(*first - *second, 1u);
    EXPECT_GT(*first, before);
    before = *first;
  }
}

TEST(InstantProof, one_wrong_block_is_found) {
  const std::vector<std::uint64_t> log{3, 5, 3};
  Bytes disk(kBlocks * kBlock);
  const auto put = [&](std::uint64_t block, std::uint32_t k) {
    for (std::uint64_t at = block * kBlock; at < (block + 1) * kBlock; at += sizeof k)
      std::memcpy(&disk[at], &k, sizeof k);
  };
  put(3, 3);
  put(5, 2);
  EXPECT_EQ(prefix_of(disk, log).value(), 3u);
  put(5, 0);
  EXPECT_FALSE(prefix_of(disk, log)) << "a lost write";
  put(5, 2);
  disk[7 * kBlock] = std::byte{1};
  EXPECT_FALSE(prefix_of(disk, log)) << "a flipped bit";
}

}  // namespace
}  // namespace holdfast::test
