// Tests a kill at a random operation, with a write half done. A file that passes for an image holds
// everything that it should, and earlier files are unchanged.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "engine/image/host_ranges.h"
#include "engine/image/merge.h"
#include "tests/image/fixture.h"
#include "tests/lib/faulty_file.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::FaultPlan;
using holdfast::test::FaultyFile;

constexpr std::uint64_t kNever = 1'000'000;

class Killed : public testing::Test {
 protected:
  using Work = std::function<void(FaultPlan&)>;

  // Runs the work in a child; returns whether it was killed. Under tsan a process with threads can't fork one
  // that starts threads, so each test needs its own process, as ctest gives it.
  static bool run(const Work& work, std::uint64_t at) {
    const pid_t child = ::fork();
    if (child == 0) {
      FaultPlan plan(at, FaultPlan::kKilled);
      try {
        work(plan);
      } catch (const std::exception&) {
        ::_exit(1);
      }
      ::_exit(0);
    }
    int status = 0;
    if (::waitpid(child, &status, 0) != child) throw std::runtime_error("there is no child");
    if (!WIFSIGNALED(status) && WEXITSTATUS(status) != 0) throw std::runtime_error("the child has failed");
    return WIFSIGNALED(status);
  }

  // Kills the work at its first operation, at its last one, and at `times` random ones, mostly among the
  // last. `judge` checks what each kill leaves, and what the unharmed work leaves.
  void kill(const Work& work, std::size_t times, const std::function<void()>& judge) {
    FaultPlan counting(kNever, FaultPlan::kKilled);
    work(counting);
    const std::uint64_t operations = kNever - counting.left();
    std::vector<std::uint64_t> ends{0, operations - 1};
    for (std::size_t i = 0; i < times; ++i) {
      const std::uint64_t last = std::min<std::uint64_t>(operations, random_.one_in(2) ? 8 : operations);
      ends.push_back(operations - random_.between(1, last));
    }
    for (const std::uint64_t end : ends) {
      ASSERT_TRUE(run(work, end));
      judge();
    }
    ASSERT_FALSE(run(work, kNever));
    judge();
  }

  WriterOptions random_options() {
    constexpr std::uint32_t kClusters[] = {512, 4096, 65536};
    return options(disk_.size(), random_.pick<std::uint32_t>(kClusters), random_.pick<Codec>(kCodecs));
  }
  // Writes the layers "full" and "inc".
  void write_two_layers() {
    WriterOptions layer = random_options();
    for (const std::string name : {"full", "inc"}) {
      layer.id = new_image_id();
      if (name == "inc") layer.backing_file = "full";
      const auto patches = random_patches(random_, disk_, layer.cluster_size, 20);
      write_image(scratch_, name, random_, layer, disk_, patches);
    }
  }
  std::vector<LayerFiles> files_of(const std::vector<std::string>& names) {
    std::vector<LayerFiles> layers;
    for (const std::string& name : names) layers.push_back(layer_files(scratch_, name));
    return layers;
  }

  // Reads all at once, because a second read would start the read-ahead threads.
  bool is_disk(const std::vector<std::string>& names) {
    const auto stack = must(Stack::open(files_of(names)));
    Bytes found(disk_.size());
    return stack->size() == disk_.size() && stack->read(0, found) && !first_difference(found, disk_);
  }
  // Checks that "new" is no image, or a correct one; counts both.
  void expect_none_or_right() {
    if (!must(scratch_.directory().exists("new")) || !inspect(*scratch_.open("new"))) {
      ++no_image_;
      return;
    }
    ++right_;
    EXPECT_TRUE(is_disk({"new"}));
    EXPECT_TRUE(verify_layer(*scratch_.open("new"), *scratch_.open("new.sums")));
    EXPECT_EQ(run_in(scratch_, "qemu-img check -q -f qcow2 new").output, "");
  }
  // In each round the first operation leaves no image; the last one and the unharmed work leave one.
  void expect_both_were_seen() {
    EXPECT_GE(no_image_, rounds_);
    EXPECT_GE(right_, 2 * rounds_);
  }
  void remove_new() {
    for (const char* name : {"new", "new.sums"})
      if (must(scratch_.directory().exists(name))) must(scratch_.directory().remove(name));
  }

  Random random_;
  Scratch scratch_;
  Bytes disk_;
  std::size_t rounds_ = 0, no_image_ = 0, right_ = 0;
};

TEST_F(Killed, a_kill_while_writing_leaves_no_image_or_the_right_one) {
  for (std::size_t round = 0; round < tries(3, 25); ++round) {
    disk_.assign(random_.between(1, 2 * kMiB), std::byte{0});
    const WriterOptions shape = random_options();
    const auto patches = random_patches(random_, disk_, shape.cluster_size, 10);
    const auto work = [&](FaultPlan& plan) {
      remove_new();
      const auto image = scratch_.create("new"), sums = scratch_.create("new.sums");
      FaultyFile doomed_image(*image, plan), doomed_sums(*sums, plan);
      Random same(1);
      write_image(doomed_image, doomed_sums, same, shape, disk_, patches);
    };
    kill(work, 20, [&] { expect_none_or_right(); });
    ++rounds_;
  }
  expect_both_were_seen();
}

TEST_F(Killed, a_kill_while_merging_leaves_the_layers_and_no_image_or_the_right_one) {
  for (std::size_t round = 0; round < tries(2, 13); ++round) {
    disk_.assign(random_.between(1, 2 * kMiB), std::byte{0});
    scratch_.clear();
    write_two_layers();
    const auto work = [&](FaultPlan& plan) {
      remove_new();
      const auto image = scratch_.create("new"), sums = scratch_.create("new.sums");
      FaultyFile doomed_image(*image, plan), doomed_sums(*sums, plan);
      must(merge_layers(files_of({"inc", "full"}), doomed_image, doomed_sums, {"", new_image_id()}));
    };
    kill(work, 20, [&] {
      expect_none_or_right();
      EXPECT_TRUE(is_disk({"inc", "full"}));
    });
    ++rounds_;
  }
  expect_both_were_seen();
}

TEST_F(Killed, a_kill_while_punching_leaves_the_kept_point_whole_and_can_be_repeated) {
  for (std::size_t round = 0; round < tries(2, 13); ++round) {
    disk_.assign(random_.between(kMiB, 2 * kMiB), std::byte{0});
    scratch_.clear();
    write_two_layers();
    const LayerUse use{must(Stack::open(files_of({"inc", "full"}))), 1};
    const auto hidden = must(hidden_data(std::span{&use, 1}));
    const auto work = [&](FaultPlan& plan) {
      const auto image = scratch_.open_to_write("full");
      FaultyFile doomed(*image, plan);
      must(punch(doomed, hidden));
    };
    const Bytes whole = scratch_.read("full");
    kill(work, 20, [&] {
      EXPECT_TRUE(is_disk({"inc", "full"}));
      EXPECT_TRUE(verify_punched_layer(*scratch_.open("full"), *scratch_.open("full.sums"), hidden));
      must(punch(*scratch_.open_to_write("full"), hidden));
      EXPECT_TRUE(is_disk({"inc", "full"}));
      scratch_.write("full", whole);
    });
  }
}

// Negative control: a process that were not killed would prove nothing above.
TEST_F(Killed, the_killed_process_has_stopped_at_the_chosen_operation) {
  const auto work = [&](FaultPlan& plan) {
    const auto file = scratch_.create("new");
    FaultyFile doomed(*file, plan);
    must(doomed.write_at(0, Bytes(8192, std::byte{1})));
    must(doomed.write_at(8192, Bytes(8192, std::byte{1})));
  };
  EXPECT_TRUE(run(work, 1));
  EXPECT_EQ(scratch_.read("new").size(), 8192u + 4096u);
}

}  // namespace
}  // namespace holdfast::image::test
