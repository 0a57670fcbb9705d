// Tests the disk as one qcow2 file that is computed while it is read.
#include "engine/image/flat_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/image/fixture.h"
#include "tests/lib/counting_file.h"

namespace holdfast::image::test {
namespace {

using holdfast::test::CountingFile;
using testing::HasSubstr;

std::shared_ptr<FlatView> view_of(const std::shared_ptr<Stack>& stack) {
  return std::make_shared<FlatView>(stack, must(FlatView::size_of(*stack)));
}

// Reads in pieces of random length, as a copy does.
Bytes copy_of(const FlatView& view, Random& random) {
  Bytes bytes(view.size());
  for (std::uint64_t at = 0; at < bytes.size();) {
    const std::uint64_t piece =
        std::min<std::uint64_t>(random.between(1, random.one_in(2) ? 4096 : 2 * kMiB), bytes.size() - at);
    must(view.read(at, ByteSpan{bytes}.subspan(at, piece)));
    at += piece;
  }
  return bytes;
}

class Flat : public testing::Test {
 protected:
  // Layers of one size and codec, as in a repository's chain.
  void grow_chain(std::size_t depth, std::uint32_t cluster, Codec codec, std::uint64_t size) {
    disk_.assign(size, std::byte{0});
    for (std::size_t i = 0; i < depth; ++i) add_layer(cluster, codec);
  }
  void add_layer(std::uint32_t cluster, Codec codec) {
    WriterOptions layer = options(disk_.size(), cluster, codec);
    if (!names_.empty()) layer.backing_file = names_.front();
    const auto patches = random_patches(random_, disk_, cluster, 12);
    const std::string name = fmt::format("{}.qcow2", names_.size());
    write_image(scratch_, name, random_, layer, disk_, patches);
    names_.insert(names_.begin(), name);
  }
  std::shared_ptr<FlatView> view() { return view_of(open_stack(scratch_, names_)); }
  // Checks that a copy of the view is an image of the disk that needs no other file.
  Bytes expect_whole() {
    const Bytes copy = copy_of(*view(), random_);
    scratch_.write("flat.qcow2", copy);
    EXPECT_EQ(qemu_difference(scratch_, "flat.qcow2", disk_), "");
    EXPECT_EQ(must(inspect(*scratch_.open("flat.qcow2"))).backing_file, "");
    EXPECT_EQ(copy_of(*view(), random_), copy) << "another reader sees other bytes";
    return copy;
  }

  Random random_;
  Scratch scratch_;
  std::vector<std::string> names_;
  Bytes disk_;
};

class FlatOfEachSize : public Flat, public testing::WithParamInterface<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(Of, FlatOfEachSize,
                         testing::Values(512u, 1024u, 4096u, 32768u, 65536u, 131072u, 2097152u));

TEST_P(FlatOfEachSize, a_copied_view_is_the_disk_for_qemu) {
  for (const Codec codec : codecs_to_try(random_)) {
    names_.clear();
    scratch_.clear();
    grow_chain(5, GetParam(), codec,
               std::min<std::uint64_t>(GetParam() * random_.between(1, 4000), 8 * kMiB) + 512);
    expect_whole();
  }
}

TEST_F(Flat, a_disk_without_a_byte_gives_an_image) {
  grow_chain(1, 65536, Codec::zstd, 0);
  expect_whole();
}

TEST_F(Flat, layers_of_different_cluster_size_and_codec_give_the_disk) {
  disk_.resize(3 * kMiB + 512);
  for (int round = 0; round < 2; ++round) {
    add_layer(65536, Codec::zstd);
    add_layer(4096, Codec::deflate);
    add_layer(262144, Codec::zstd);
    add_layer(512, Codec::none);
    expect_whole();
  }
}

TEST_F(Flat, a_chain_that_qemu_made_gives_the_disk) {
  grow_chain(1, 65536, Codec::zstd, 4 * kMiB);
  scratch_.write("truth.raw", disk_);
  sh(scratch_,
     "qemu-img convert -c -f raw -O qcow2 truth.raw base.qcow2 && "
     "qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 top.qcow2 && "
     "qemu-io -f qcow2 -c 'write -P 7 1M 300k' -c 'write -z 2M 64k' top.qcow2");
  std::fill_n(disk_.begin() + kMiB, 300 * kKiB, std::byte{7});
  std::fill_n(disk_.begin() + 2 * kMiB, 64 * kKiB, std::byte{0});
  const auto stack = open_stack(scratch_, {"top.qcow2", "base.qcow2"}, Sums::without);
  scratch_.write("flat.qcow2", copy_of(*view_of(stack), random_));
  EXPECT_EQ(qemu_difference(scratch_, "flat.qcow2", disk_), "");
}

TEST_F(Flat, compressed_clusters_are_passed_through_unchanged) {
  disk_.resize(8 * kMiB);
  fill(random_, disk_, Content::text);
  const auto summary =
      write_image(scratch_, "a.qcow2", random_, options(disk_.size(), 65536), disk_, all_of(disk_));
  names_ = {"a.qcow2"};
  const Bytes copy = expect_whole();
  EXPECT_LT(copy.size(), summary.file_bytes + kMiB);
  EXPECT_THAT(sh(scratch_, "qemu-img check -f qcow2 flat.qcow2"), HasSubstr("100.00% compressed"));
}

TEST_F(Flat, several_segments_and_refcount_blocks_give_the_disk) {
  SparseDisk disk(scratch_, 3 * Writer::kSegment + 512);
  disk.scatter(random_, 4096, 60, 400);
  const auto image = scratch_.create("a.qcow2");
  const auto sums = scratch_.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(3 * Writer::kSegment + 512, 4096)));
  disk.write_to(*writer);
  must(writer->finish());
  names_ = {"a.qcow2"};
  scratch_.write("flat.qcow2", copy_of(*view(), random_));
  EXPECT_EQ(disk.qemu_difference("flat.qcow2"), "");
}

TEST_F(Flat, a_disk_of_16_tib_with_little_data_gives_a_small_file) {
  const auto image = scratch_.create("a.qcow2");
  const auto sums = scratch_.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(16 * kTiB, 65536)));
  Bytes data(65536);
  random_.fill(data);
  for (const std::uint64_t offset : {std::uint64_t{0}, 7 * kTiB, 16 * kTiB - 65536}) {
    must(writer->write(offset, data));
    must(writer->finish_segment(offset));
  }
  must(writer->finish());
  names_ = {"a.qcow2"};
  const Bytes copy = copy_of(*view(), random_);
  EXPECT_LT(copy.size(), 2 * kMiB);
  scratch_.write("flat.qcow2", copy);
  EXPECT_EQ(sh(scratch_,
               "qemu-img check -q -f qcow2 flat.qcow2 && "
               "qemu-img compare -q -f qcow2 -F qcow2 flat.qcow2 a.qcow2"),
            "");
}

TEST_F(Flat, reads_in_pieces_give_the_bytes_of_one_read) {
  grow_chain(4, 4096, Codec::zstd, 2 * kMiB + 512);
  const auto flat = view();
  Bytes whole(flat->size());
  must(flat->read(0, whole));
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t at = random_.below(whole.size());
    Bytes piece(random_.below(std::min<std::uint64_t>(20'000, whole.size() - at) + 1));
    must(flat->read(at, piece));
    ASSERT_EQ(first_difference(piece, ByteView{whole}.subspan(at, piece.size())), std::nullopt) << at;
  }
  EXPECT_EQ(error_of(flat->read(whole.size(), ByteSpan{whole}.first(1))).code, EINVAL);
}

TEST_F(Flat, a_view_of_known_size_reads_no_table_before_its_first_read) {
  grow_chain(3, 65536, Codec::zstd, 4 * kMiB);
  const std::uint64_t size = view()->size();
  std::atomic<std::size_t> reads = 0;
  std::vector<LayerFiles> layers;
  for (const std::string& name : names_) {
    auto [image, sums] = layer_files(scratch_, name);
    layers.push_back({std::make_unique<CountingFile>(std::move(image), reads),
                      std::make_unique<CountingFile>(std::move(sums), reads)});
  }
  const auto stack = must(Stack::open(std::move(layers)));
  const std::size_t before = reads;
  const auto flat = std::make_shared<FlatView>(stack, size);
  EXPECT_EQ(flat->size(), size);
  EXPECT_EQ(reads, before);
  Bytes piece(512);
  must(flat->read(0, piece));
  EXPECT_GT(reads, before);
}

TEST_F(Flat, a_view_of_another_size_than_recorded_is_not_read) {
  grow_chain(1, 65536, Codec::zstd, kMiB);
  const std::uint64_t size = view()->size();
  const auto flat = std::make_shared<FlatView>(open_stack(scratch_, names_), size + 65536);
  Bytes piece(512);
  const Error error = error_of(flat->read(0, piece));
  EXPECT_EQ(error.code, EIO);
  EXPECT_THAT(error.message, HasSubstr(fmt::format("{} bytes, but has {}", size + 65536, size)));
}

TEST_F(Flat, several_threads_read_the_same_bytes_from_the_first_read_on) {
  grow_chain(4, 4096, Codec::zstd, 4 * kMiB);
  const Bytes whole = copy_of(*view(), random_);
  const auto flat = view();
  std::vector<std::jthread> readers;
  for (std::uint64_t i = 0; i < 4; ++i)
    readers.emplace_back([&, seed = random_.next()] {
      Random own(seed);
      EXPECT_EQ(first_difference(copy_of(*flat, own), whole), std::nullopt);
    });
}

TEST_F(Flat, a_damaged_layer_fails_the_read_instead_of_passing_the_damage_on) {
  grow_chain(1, 4096, Codec::zstd, kMiB);
  const Bytes good = scratch_.read("0.qcow2");
  const Bytes flat = copy_of(*view(), random_);
  std::size_t failed = 0;
  for (int i = 0; i < 50; ++i) {
    Bytes bad = good;
    bad[random_.below(bad.size())] ^= std::byte{16};
    scratch_.write("0.qcow2", bad);
    std::vector<LayerFiles> layers;
    layers.push_back(layer_files(scratch_, "0.qcow2"));
    const auto stack = Stack::open(std::move(layers));
    Bytes copy(flat.size());
    if (!stack || !FlatView(*stack, flat.size()).read(0, copy)) {
      ++failed;
    } else {
      EXPECT_EQ(copy, flat);  // the damage was in a table that a flat image doesn't need
    }
  }
  EXPECT_GT(failed, 0u);
}

}  // namespace
}  // namespace holdfast::image::test
