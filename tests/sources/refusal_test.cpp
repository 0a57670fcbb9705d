// Tests sources that can't be backed up, or not as asked: a clear sentence or reason, and nothing left behind
// (laws 5, 8 and 9).
#include "tests/lib/small_file_system.h"
#include "tests/sources/fixture.h"

namespace holdfast::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Refusal : public QmpDriverTest {
 protected:
  Error error_of(const source::PrepareRequest& wanted) {
    const Json before = traces();
    auto capture = driver_.prepare(wanted, ledger_);
    EXPECT_FALSE(capture);
    EXPECT_EQ(traces(), before);
    EXPECT_THAT(ledger_.leftovers(), IsEmpty());
    return capture ? Error{} : capture.error();
  }
  FullReason reason_of(const source::PrepareRequest& wanted) {
    auto capture = driver_.prepare(wanted, ledger_).value();
    const auto reason = capture->disks()[0].full_reason;
    EXPECT_EQ(read_all(*capture, 0, {}),
              daemon_->truth(source::qmp::fields_of(wanted.disks[0]).value().node));
    EXPECT_TRUE(capture->abandon());
    return reason.value();
  }
};

TEST_F(Refusal, an_unknown_node_is_refused_without_the_names_of_others) {
  boot();
  const Error error = error_of(request(machine({"disk9"})));
  EXPECT_EQ(error.code, ENXIO);
  EXPECT_THAT(error.message, HasSubstr("disk the-disk9"));
  EXPECT_THAT(error.message, HasSubstr("'disk9'"));
  EXPECT_THAT(error.message, ::testing::Not(HasSubstr("disk0")));
}

TEST_F(Refusal, a_missing_socket_is_refused) {
  boot();
  auto wanted = request(machine());
  const std::string missing = daemon_->qmp() + ".missing";
  wanted.machine.fields = driver_fields({{"socket", missing}});
  const Error error = error_of(wanted);
  EXPECT_EQ(error.code, ENOENT);
  EXPECT_THAT(error.message, HasSubstr("there is no QMP socket " + missing));
}

TEST_F(Refusal, a_socket_without_a_listener_is_refused) {
  boot();
  const auto wanted = request(machine());
  daemon_->end(SIGKILL);
  const auto capture = driver_.prepare(wanted, ledger_);
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().code, ECONNREFUSED) << capture.error().message;
}

TEST_F(Refusal, a_socket_that_the_daemon_may_not_open_is_refused) {
  boot();
  ASSERT_EQ(::seteuid(65534), 0);
  const auto capture = driver_.prepare(request(machine()), ledger_);
  ASSERT_EQ(::seteuid(0), 0);
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().code, EACCES);
  EXPECT_THAT(capture.error().message, HasSubstr("QMP socket " + daemon_->qmp() + ": Permission denied"));
}

TEST_F(Refusal, a_busy_socket_is_refused_because_another_program_holds_it) {
  boot();
  auto other = source::qmp::Client::connect(daemon_->qmp(), {}).value();
  source::qmp::QmpDriver hasty({.greeting = std::chrono::seconds{2}}, {});  // time for its greeting, too
  const auto capture = hasty.prepare(request(machine()), ledger_);
  ASSERT_FALSE(capture);
  EXPECT_EQ(capture.error().code, EBUSY);
  EXPECT_THAT(capture.error().message, HasSubstr("serves one client at a time"));
  other.reset();
  EXPECT_TRUE(hasty.discover(machine())) << "free again";
}

TEST_F(Refusal, the_socket_is_free_once_a_run_has_ended) {
  boot();
  ASSERT_TRUE(prepare()->abandon());
  EXPECT_TRUE(source::qmp::Client::connect(daemon_->qmp(), {.greeting = std::chrono::seconds{20}}));
}

TEST_F(Refusal, a_foreign_nbd_server_is_left_alone) {
  boot();
  const std::string theirs = daemon_->path("theirs");
  daemon_->tell("nbd-server-start", {{"addr", {{"type", "unix"}, {"data", {{"path", theirs}}}}}});
  daemon_->tell("blockdev-add", {{"driver", "null-co"}, {"node-name", "null"}});
  daemon_->tell("block-export-add",
                {{"type", "nbd"}, {"id", "theirs"}, {"node-name", "null"}, {"name", "x"}});
  const Error error = error_of(request(machine()));
  EXPECT_EQ(error.code, EBUSY);
  EXPECT_THAT(error.message, HasSubstr("already runs an NBD server that is not Holdfast's"));
  EXPECT_TRUE(source::nbd::answers(theirs, {}).value());
}

TEST_F(Refusal, a_scratch_path_too_long_for_a_socket_is_refused) {
  boot();
  auto wanted = request(machine());
  wanted.scratch += "/" + std::string(90, 'x');
  std::filesystem::create_directory(wanted.scratch);
  const Error error = error_of(wanted);
  EXPECT_EQ(error.code, ENAMETOOLONG);
  EXPECT_THAT(error.message, HasSubstr("use a state directory with a shorter path"));
}

TEST_F(Refusal, a_missing_scratch_directory_is_named) {
  boot();
  auto wanted = request(machine());
  wanted.scratch += "/gone";
  const Error error = error_of(wanted);
  EXPECT_EQ(error.code, ENOENT);
  EXPECT_THAT(error.message, HasSubstr(wanted.scratch));
}

TEST_F(Refusal, two_disks_of_one_node_are_refused_with_both_names) {
  boot();
  const Error error = error_of(request(machine({"disk0", "disk0"})));
  EXPECT_EQ(error.code, EINVAL);
}

// A ledger that fails at one step; that step must remove everything that earlier steps made.
class FailingLedger final : public source::Ledger {
 public:
  FailingLedger(FileLedger& ledger, int good) : ledger_(ledger), good_(good) {}
  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) override {
    if (good_-- == 0) return fail(ENOSPC, "the catalog is full");
    return ledger_.record(kind, name, detail);
  }
  Result<> forget(Id id) override { return ledger_.forget(id); }

 private:
  FileLedger& ledger_;
  int good_;
};

TEST_F(Refusal, a_failing_ledger_at_any_step_leaves_nothing) {
  boot({{.node = "disk0"}, {.node = "disk1", .format = "raw"}});
  const Json before = traces();
  int steps = 0;
  for (;; ++steps) {
    FailingLedger failing(ledger_, steps);
    auto capture = driver_.prepare(request(machine({"disk0", "disk1"})), failing);
    if (capture) {
      ASSERT_TRUE((*capture)->abandon());
      break;
    }
    EXPECT_EQ(capture.error().code, ENOSPC);
    EXPECT_EQ(traces(), before) << "step " << steps;
    EXPECT_THAT(ledger_.leftovers(), IsEmpty());
  }
  EXPECT_GE(steps, 10);
}

// A ledger that changes the source just before the jobs are made, as another program might.
class MeddlingLedger final : public source::Ledger {
 public:
  MeddlingLedger(FileLedger& ledger, std::function<void()> meddle)
      : ledger_(ledger), meddle_(std::move(meddle)) {}
  Result<Id> record(LeftoverKind kind, const std::string& name, const std::string& detail) override {
    if (kind == LeftoverKind::block_job && meddle_) std::exchange(meddle_, nullptr)();
    return ledger_.record(kind, name, detail);
  }
  Result<> forget(Id id) override { return ledger_.forget(id); }

 private:
  FileLedger& ledger_;
  std::function<void()> meddle_;
};

TEST_F(Refusal, a_failing_transaction_freezes_no_disk) {
  boot({{.node = "disk0"}, {.node = "disk1"}});
  const auto both = machine({"disk0", "disk1"});
  auto capture = driver_.prepare(request(both), ledger_).value();
  const std::map<std::string, std::string> since{{"disk0", capture->disks()[0].change_id},
                                                 {"disk1", capture->disks()[1].change_id}};
  ASSERT_TRUE(capture->commit());
  Json expected = traces();
  expected["nodes"]["disk1"] = Json::object();

  const auto meddle = [&] {
    daemon_->tell("block-dirty-bitmap-remove", {{"node", "disk1"}, {"name", since.at("disk1")}});
  };
  MeddlingLedger meddling(ledger_, meddle);
  const auto refused = driver_.prepare(request(both, since), meddling);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("refuses transaction"));
  EXPECT_THAT(refused.error().message, HasSubstr(since.at("disk1")));
  EXPECT_EQ(traces(), expected);
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
}

TEST_F(Refusal, a_grown_disk_makes_a_full) {
  boot();
  Bytes record;
  const std::string first = committed_full(record);
  daemon_->tell("block_resize", {{"node-name", "disk0"}, {"size", 20 * kMiB}});
  auto wanted = request(machine(), {{"disk0", first}});
  daemon_->truth("disk0").resize(20 * kMiB);
  EXPECT_EQ(reason_of(wanted), FullReason::capacity_changed);
}

TEST_F(Refusal, a_missing_change_id_makes_a_full) {
  boot();
  auto wanted = request(machine());
  wanted.disks[0].last_capacity = 16 * kMiB;
  EXPECT_EQ(reason_of(wanted), FullReason::no_change_id);
}

TEST_F(Refusal, an_unknown_bitmap_makes_a_full) {
  boot();
  EXPECT_EQ(reason_of(request(machine(), {{"disk0", "hf-3f2a91c0-0000000000000000"}})),
            FullReason::bitmap_missing);
}

TEST_F(Refusal, a_bitmap_that_does_not_record_makes_a_full) {
  boot();
  Bytes record;
  const std::string first = committed_full(record);
  daemon_->tell("block-dirty-bitmap-disable", {{"node", "disk0"}, {"name", first}});
  EXPECT_EQ(reason_of(request(machine(), {{"disk0", first}})), FullReason::bitmap_unusable);
}

TEST_F(Refusal, a_bitmap_left_behind_by_a_snapshot_makes_a_full) {
  boot();
  daemon_->fill("disk0", 0, kMiB, 'a');
  Bytes record;
  const std::string first = committed_full(record);
  daemon_->tell("blockdev-snapshot-sync", {{"node-name", "disk0"},
                                           {"snapshot-file", daemon_->path("overlay")},
                                           {"snapshot-node-name", "overlay"},
                                           {"format", "qcow2"}});
  const Error error = error_of(request(machine()));
  EXPECT_THAT(error.message, HasSubstr("set the disk's node to overlay"));

  daemon_->fill("disk0", kMiB, 100, 'b');  // QEMU writes to the overlay, untracked
  auto wanted = request(machine({"overlay"}));
  wanted.disks[0].since = wanted.disks[0].supersedes = first;
  auto capture = driver_.prepare(wanted, ledger_).value();
  EXPECT_EQ(capture->disks()[0].full_reason, FullReason::bitmap_unusable);
  EXPECT_EQ(read_all(*capture, 0, {}), daemon_->truth("disk0"));
  ASSERT_TRUE(capture->commit());
}

TEST_F(Refusal, an_image_truncated_while_qemu_has_it_open_is_refused) {
  for (const char* format : {"qcow2", "raw"}) {
    SCOPED_TRACE(format);
    boot({{.node = "disk0", .format = format}});
    daemon_->fill("disk0", 0, 4 * kMiB, 'a');
    std::filesystem::resize_file(daemon_->file("disk0"), 3 * kMiB);
    const Error error = error_of(request(machine()));
    EXPECT_EQ(error.code, EIO);
    EXPECT_THAT(error.message, HasSubstr("truncated"));
  }
}

TEST_F(Refusal, an_image_cut_off_before_qemu_opened_it_is_refused) {
  boot();
  daemon_->fill("disk0", 0, 4 * kMiB, 'a');
  daemon_->end(SIGTERM);
  std::filesystem::resize_file(daemon_->file("disk0"), 3 * kMiB);
  daemon_->start();
  const Error error = error_of(request(machine()));
  EXPECT_EQ(error.code, EIO);
  EXPECT_THAT(error.message, HasSubstr(daemon_->file("disk0") + ": the file ends at 3145728"));
}

TEST_F(Refusal, a_freeze_without_room_for_copies_is_refused) {
  boot();
  const SmallFileSystem small(60 * kMiB);
  auto wanted = request(machine());
  wanted.scratch = small.path();
  const Error error = error_of(wanted);
  EXPECT_EQ(error.code, ENOSPC);
  EXPECT_THAT(error.message, HasSubstr("scratch"));
}

TEST_F(Refusal, reading_ends_before_the_copies_run_out_of_room) {
  boot();
  daemon_->fill("disk0", 0, 16 * kMiB, 'a');
  const Json before = traces();
  const SmallFileSystem small(72 * kMiB);
  auto wanted = request(machine());
  wanted.scratch = small.path();
  auto capture = driver_.prepare(wanted, ledger_).value();
  auto reader = capture->open(0).value();
  const Range range{0, 16 * kMiB};
  Copy copy(Bytes(16 * kMiB));
  EXPECT_TRUE(reader->read({&range, 1}, copy.sink(), Cancel{}));
  daemon_->fill("disk0", 0, 16 * kMiB, 'b');
  const auto read = reader->read({&range, 1}, copy.sink(), Cancel{});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ENOSPC);
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before);
  EXPECT_TRUE(std::filesystem::is_empty(small.path()));
}

TEST_F(Refusal, copying_ends_before_it_runs_out_of_room_even_without_a_reader) {
  boot();
  daemon_->fill("disk0", 0, 16 * kMiB, 'a');
  const Json before = traces();
  const SmallFileSystem small(72 * kMiB);
  auto wanted = request(machine());
  wanted.scratch = small.path();
  auto capture = driver_.prepare(wanted, ledger_).value();
  auto reader = capture->open(0).value();
  daemon_->fill("disk0", 0, 16 * kMiB, 'b');
  while (!daemon_->tell("query-jobs").empty()) std::this_thread::yield();
  daemon_->fill("disk0", 0, 16 * kMiB, 'c');
  const auto read = reader->extents(0, kMiB);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ENOSPC) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr("a backup keeps 67108864 free"));
  ASSERT_TRUE(capture->abandon());
  EXPECT_EQ(traces(), before);
  EXPECT_TRUE(std::filesystem::is_empty(small.path()));
}

TEST_F(Refusal, a_nearly_full_file_system_gets_no_bitmap) {
  const SmallFileSystem small(12 * kMiB);
  boot({{.node = "disk0", .directory = small.path()}});
  EXPECT_THAT(driver_.discover(machine()).value()[0].why_not, HasSubstr("nearly full"));
  auto capture = prepare();
  const std::string change_id = capture->disks()[0].change_id;
  ASSERT_TRUE(capture->commit());
  EXPECT_EQ(traces()["nodes"]["disk0"][change_id]["persistent"], false);
}

TEST_F(Refusal, a_bitmap_on_a_nearly_full_file_system_is_removed_later) {
  const SmallFileSystem small(48 * kMiB);
  boot({{.node = "disk0", .directory = small.path()}});
  Bytes record;
  const std::string first = committed_full(record);
  ASSERT_EQ(traces()["nodes"]["disk0"][first]["persistent"], true);
  const std::string filler = small.path() + "/filler";
  std::ofstream(filler).flush();
  const Fd fd{::open(filler.c_str(), O_WRONLY | O_CLOEXEC)};
  const auto room = std::filesystem::space(small.path()).available;
  ASSERT_EQ(::fallocate(fd.get(), 0, 0, static_cast<off_t>(room - 8 * kMiB)), 0);

  auto capture = prepare({{"disk0", first}});
  EXPECT_EQ(capture->disks()[0].full_reason, std::nullopt);
  const std::string second = capture->disks()[0].change_id;
  ASSERT_TRUE(capture->commit());
  EXPECT_THAT(bitmaps(), ::testing::UnorderedElementsAre(first, second));
  EXPECT_EQ(ledger_.leftovers().size(), 1u);
  ASSERT_TRUE(driver_.sweep(machine(), ledger_.leftovers(), source::PointFate::committed, ledger_))
      << "nothing is wrong with that";
  EXPECT_EQ(bitmaps().size(), 2u);

  std::filesystem::resize_file(filler, 0);
  ASSERT_TRUE(driver_.sweep(machine(), ledger_.leftovers(), source::PointFate::committed, ledger_));
  EXPECT_THAT(bitmaps(), ::testing::ElementsAre(second));
  EXPECT_THAT(ledger_.leftovers(), IsEmpty());
}

TEST_F(Refusal, discover_says_for_each_disk_why_it_tracks_no_changes) {
  boot({{.node = "disk0"}, {.node = "disk1", .format = "raw"}, {.node = "disk2", .options = "compat=0.10"}});
  const Json before = traces();
  const auto found = driver_.discover(machine({"disk0", "disk1", "disk2", "disk9"})).value();
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].name, "the-disk0");
  EXPECT_EQ(found[0].capacity, 16 * kMiB);
  EXPECT_TRUE(found[0].tracks_changes);
  EXPECT_EQ(found[0].why_not, "");
  EXPECT_TRUE(found[1].tracks_changes);
  EXPECT_THAT(found[1].why_not, HasSubstr("raw"));
  EXPECT_THAT(found[2].why_not, HasSubstr("version 2"));
  EXPECT_FALSE(found[3].tracks_changes);
  EXPECT_THAT(found[3].why_not, HasSubstr("no block node 'disk9'"));
  EXPECT_EQ(traces(), before);
}

}  // namespace
}  // namespace holdfast::test
