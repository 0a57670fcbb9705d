// Tests the writer's images; QEMU is the judge.
#include "engine/image/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <thread>

#include "engine/image/header.h"
#include "tests/image/fixture.h"
#include "tests/lib/memory_file.h"

namespace holdfast::image::test {
namespace {

using testing::HasSubstr;

TEST(Writer, a_disk_of_63_tib_takes_clusters_of_16_kib) {
  Scratch scratch;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(63 * kTiB, 16384)));
  Bytes cluster(16384, std::byte{7});
  for (const std::uint64_t offset : {std::uint64_t{0}, 17 * kTiB, 63 * kTiB - 16384}) {
    must(writer->write(offset, cluster));
    must(writer->finish_segment(offset));
  }
  must(writer->finish());
  EXPECT_EQ(run_in(scratch, "qemu-img check -q -f qcow2 a.qcow2").output, "");
  const auto stack = open_stack(scratch, {"a.qcow2"});
  Bytes found(16384);
  must(stack->read(17 * kTiB, found));
  EXPECT_EQ(found, cluster);
  EXPECT_EQ(sh(scratch,
               "qemu-io -r -f qcow2 -c 'read -P 7 17T 16k' a.qcow2 | grep -c 'verification failed' || true"),
            "0\n");
}

TEST(Writer, a_disk_too_large_for_its_clusters_is_refused) {
  Scratch scratch;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const Error error = error_of(Writer::create(*image, *sums, options(63 * kTiB, 8192)));
  EXPECT_EQ(error.code, EINVAL);
  EXPECT_THAT(error.message, HasSubstr("too large for clusters of 8192"));
}

TEST(Writer, invalid_options_are_refused) {
  Scratch scratch;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto refused = [&](auto change) {
    WriterOptions wrong = options(kMiB, 65536);
    change(wrong);
    return error_of(Writer::create(*image, *sums, wrong));
  };
  EXPECT_EQ(refused([](auto& o) { o.cluster_size = 1000; }).code, EINVAL);
  EXPECT_EQ(refused([](auto& o) { o.cluster_size = 256; }).code, EINVAL);
  EXPECT_EQ(refused([](auto& o) { o.cluster_size = 4 * kMiB; }).code, EINVAL);
  EXPECT_EQ(refused([](auto& o) { o.level = 99; }).code, EINVAL);
  EXPECT_EQ(refused([](auto& o) { o.backing_file = std::string(1024, 'x'); }).code, EINVAL);
  EXPECT_EQ(refused([](auto& o) {
              o.cluster_size = 512;
              o.backing_file = std::string(500, 'x');
            }).code,
            EINVAL);
  EXPECT_EQ(must(image->size()), 0u);
}

TEST(Writer, data_that_breaks_the_order_is_refused) {
  Scratch scratch;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(3 * Writer::kSegment + 100, 65536)));
  const Bytes data(131072, std::byte{1});
  const auto refused = [&](std::uint64_t offset, std::size_t length) {
    return error_of(writer->write(offset, ByteView{data}.first(length))).code == EINVAL;
  };
  EXPECT_TRUE(refused(512, 65536)) << "not at a cluster";
  EXPECT_TRUE(refused(0, 512)) << "not a whole cluster";
  EXPECT_TRUE(refused(3 * Writer::kSegment, 512)) << "beyond the end";
  EXPECT_TRUE(refused(Writer::kSegment - 65536, 131072)) << "in two segments";
  must(writer->write(Writer::kSegment, data));
  EXPECT_TRUE(refused(2 * Writer::kSegment, 65536)) << "the one before is not finished";
  must(writer->finish_segment(Writer::kSegment));
  EXPECT_TRUE(refused(Writer::kSegment, 65536)) << "finished";
  EXPECT_TRUE(refused(0, 65536)) << "before a finished one";
  EXPECT_EQ(error_of(writer->finish_segment(0)).code, EINVAL);
  must(writer->write(3 * Writer::kSegment, ByteView{data}.first(100)));
  must(writer->finish());
  EXPECT_EQ(sh(scratch, "qemu-img check -q -f qcow2 a.qcow2"), "");
}

TEST(Writer, a_cluster_that_comes_twice_ends_in_an_error_and_no_image) {
  Scratch scratch;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(kMiB, 65536)));
  const Bytes data(65536, std::byte{1});
  must(writer->write(0, data));
  must(writer->write(0, data));
  const Error error = error_of(writer->finish_segment(0));
  EXPECT_EQ(error.code, EINVAL);
  EXPECT_THAT(error.message, HasSubstr("came twice"));
  EXPECT_EQ(error_of(writer->finish()), error);
  EXPECT_EQ(error_of(inspect(*image)).code, EINVAL);
}

TEST(Writer, a_finished_image_takes_nothing_more) {
  Scratch scratch;
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  const auto writer = must(Writer::create(*image, *sums, options(kMiB, 65536)));
  must(writer->finish());
  const Bytes before = scratch.read("a.qcow2");
  EXPECT_EQ(error_of(writer->write(0, Bytes(65536, std::byte{1}))).code, EINVAL);
  EXPECT_EQ(error_of(writer->finish_segment(0)).code, EINVAL);
  EXPECT_EQ(error_of(writer->finish()).code, EINVAL);
  EXPECT_EQ(scratch.read("a.qcow2"), before);
}

TEST(Writer, an_increment_names_its_backing_file_and_format) {
  Scratch scratch;
  Random random;
  must(scratch.directory().make_directory("A"));
  must(scratch.directory().make_directory("B"));
  const Bytes disk(kMiB, std::byte{3});
  write_image(scratch, "A/disk.qcow2", random, options(kMiB, 65536), disk, all_of(disk));
  WriterOptions increment = options(kMiB, 65536);
  increment.backing_file = "../A/disk.qcow2";
  write_image(scratch, "B/disk.qcow2", random, increment, disk, {});
  const std::string info = sh(scratch, "qemu-img info B/disk.qcow2");
  EXPECT_THAT(info, HasSubstr("backing file: ../A/disk.qcow2"));
  EXPECT_THAT(info, HasSubstr("backing file format: qcow2"));
  EXPECT_EQ(qemu_difference(scratch, "B/disk.qcow2", disk), "");
  EXPECT_EQ(must(inspect(*scratch.open("B/disk.qcow2"))).backing_file, "../A/disk.qcow2");
}

TEST(Writer, the_longest_backing_name_that_fits_is_read_by_qemu) {
  Scratch scratch;
  Random random;
  for (const auto& [cluster, length] : {std::pair{512u, 344u}, {65536u, 1023u}}) {
    WriterOptions increment = options(kMiB, cluster);
    increment.backing_file = std::string(length, 'n');
    const std::string name = fmt::format("{}.qcow2", cluster);
    write_image(scratch, name, random, increment, {}, {});
    EXPECT_THAT(sh(scratch, "qemu-img info " + name), HasSubstr(increment.backing_file));
    ++increment.backing_file.back();
    increment.backing_file += 'n';
    const auto image = scratch.create(name + ".longer");
    EXPECT_FALSE(Writer::create(*image, *image, increment));
  }
}

TEST(Writer, zeros_are_explicit_in_an_increment_and_nothing_in_a_full) {
  Scratch scratch;
  Random random;
  Bytes disk(4 * kMiB);
  random.fill(disk);
  write_image(scratch, "full.qcow2", random, options(disk.size(), 65536), disk, all_of(disk));
  WriterOptions increment = options(disk.size(), 65536);
  increment.backing_file = "full.qcow2";
  const std::vector<Patch> patches{{0, kMiB, true}, {2 * kMiB, kMiB, false}};
  std::fill_n(disk.begin(), kMiB, std::byte{0});
  std::fill_n(disk.begin() + 2 * kMiB, kMiB, std::byte{0});
  const auto summary = write_image(scratch, "inc.qcow2", random, increment, disk, patches);
  EXPECT_EQ(summary.zero_bytes, 2 * kMiB);
  EXPECT_EQ(summary.data_bytes, 0u);
  EXPECT_EQ(qemu_difference(scratch, "inc.qcow2", disk), "");
  EXPECT_EQ(difference(*open_stack(scratch, {"inc.qcow2", "full.qcow2"}), disk, random), "");
}

TEST(Writer, several_threads_may_write_one_segment) {
  Scratch scratch;
  Random random;
  Bytes disk(24 * kMiB);
  for (std::uint64_t at = 0; at < disk.size(); at += 65536)
    fill(random, ByteSpan{disk}.subspan(at, 65536), random.pick<Content>(kContents));
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  WriterOptions many = options(disk.size(), 65536);
  many.compressors = 3;
  const auto writer = must(Writer::create(*image, *sums, many));
  std::vector<std::jthread> threads;
  for (std::uint64_t first = 0; first < 4; ++first)
    threads.emplace_back([&, first] {
      for (std::uint64_t at = first * 131072; at < disk.size(); at += 4 * 131072)
        EXPECT_TRUE(writer->write(at, ByteView{disk}.subspan(at, 131072)));
    });
  threads.clear();
  must(writer->finish_segment(0));
  must(writer->finish());
  EXPECT_EQ(qemu_difference(scratch, "a.qcow2", disk), "");
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}), disk, random), "");
}

TEST(Writer, data_that_does_not_compress_is_stored_plain) {
  Scratch scratch;
  Random random;
  Bytes disk(8 * kMiB);
  random.fill(disk);
  const auto summary =
      write_image(scratch, "a.qcow2", random, options(disk.size(), 65536), disk, all_of(disk));
  EXPECT_EQ(summary.data_bytes, disk.size());
  EXPECT_LT(summary.file_bytes, disk.size() + 6 * 65536);
  EXPECT_THAT(sh(scratch, "qemu-img check -f qcow2 a.qcow2"), HasSubstr("0.00% compressed"));
}

TEST(Writer, data_that_compresses_is_packed) {
  Scratch scratch;
  Random random;
  Bytes disk(8 * kMiB);
  fill(random, disk, Content::text);
  for (const Codec codec : {Codec::zstd, Codec::deflate}) {
    const std::string name = codec == Codec::zstd ? "zstd.qcow2" : "deflate.qcow2";
    const auto summary =
        write_image(scratch, name, random, options(disk.size(), 65536, codec), disk, all_of(disk));
    EXPECT_LT(summary.stored_bytes, disk.size() / 2);
    EXPECT_THAT(sh(scratch, "qemu-img check -f qcow2 " + name), HasSubstr("100.00% compressed"));
  }
}

// Inflates with a window of 4 KiB and no more memory, which is stricter than QEMU's own reader.
bool inflates_with_a_window_of_4_kib(ByteView slot, ByteView expected) {
  z_stream stream{};
  inflateInit2(&stream, -12);
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(slot.data()));
  stream.avail_in = static_cast<uInt>(slot.size());
  Bytes found(expected.size());
  int outcome = Z_OK;
  for (std::size_t at = 0; at < found.size() && outcome == Z_OK; at += 512) {
    stream.next_out = reinterpret_cast<Bytef*>(found.data() + at);
    stream.avail_out = 512;
    outcome = inflate(&stream, Z_NO_FLUSH);
  }
  inflateEnd(&stream);
  return (outcome == Z_OK || outcome == Z_STREAM_END) && first_difference(found, expected) == std::nullopt;
}

Bytes deflated(ByteView bytes, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 1, Z_DEFLATED, window_bits, 9, Z_DEFAULT_STRATEGY);
  Bytes slot(bytes.size());
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(slot.data());
  stream.avail_out = static_cast<uInt>(slot.size());
  deflate(&stream, Z_FINISH);
  deflateEnd(&stream);
  return slot;
}

TEST(Writer, deflate_looks_back_no_further_than_4_kib) {
  Random random;
  // The content repeats at a distance of 5,000 bytes, where a larger window would find it.
  Bytes disk(65536);
  random.fill(ByteSpan{disk}.first(5000));
  for (std::size_t i = 5000; i < disk.size(); ++i) disk[i] = i % 10 < 4 ? disk[i - 5000] : std::byte{7};
  holdfast::test::MemoryFile image("a.qcow2"), sums("a.sums");
  write_image(image, sums, random, options(disk.size(), 65536, Codec::deflate), disk, all_of(disk));
  const Bytes file = image.bytes();
  const auto l1 = load_be<std::uint64_t>(file.data() + must(read_header(image)).l1_offset);
  const auto entry = load_be<std::uint64_t>(file.data() + (l1 & kOffsetMask));
  ASSERT_TRUE(entry & kCompressed);
  const Geometry::Slot slot = Geometry{16}.slot(entry);
  EXPECT_TRUE(inflates_with_a_window_of_4_kib(ByteView{file}.subspan(slot.offset, slot.length), disk));
  EXPECT_FALSE(inflates_with_a_window_of_4_kib(deflated(disk, -15), disk));
}

TEST(Writer, an_image_that_is_not_finished_is_no_image) {
  Scratch scratch;
  Random random;
  Bytes disk(4 * kMiB);
  random.fill(disk);
  const auto image = scratch.create("a.qcow2");
  const auto sums = scratch.create("a.qcow2.sums");
  {
    const auto writer = must(Writer::create(*image, *sums, options(disk.size(), 65536)));
    write_patches(*writer, random, disk, all_of(disk));
  }
  EXPECT_EQ(error_of(inspect(*image)).code, EINVAL);
  EXPECT_FALSE(Stack::open([&] {
    std::vector<LayerFiles> layers;
    layers.push_back(layer_files(scratch, "a.qcow2"));
    return layers;
  }()));
  EXPECT_NE(run_in(scratch, "qemu-img info -f qcow2 a.qcow2").status, 0);
}

TEST(EmptyImage, an_empty_image_takes_the_writes_of_qemu) {
  for (const std::uint32_t cluster : {512u, 65536u, 2097152u}) {
    Scratch scratch;
    Random random;
    must(write_empty_image(*scratch.create("scratch.qcow2"), 70 * kMiB + 512, cluster));
    sh(scratch, "qemu-img check -q -f qcow2 scratch.qcow2");
    sh(scratch, "qemu-io -f qcow2 -c 'write -P 5 3M 4M' -c 'write -P 6 70M 512' scratch.qcow2");
    Bytes disk(70 * kMiB + 512);
    std::fill_n(disk.begin() + 3 * kMiB, 4 * kMiB, std::byte{5});
    std::fill_n(disk.begin() + 70 * kMiB, 512, std::byte{6});
    EXPECT_EQ(qemu_difference(scratch, "scratch.qcow2", disk), "");
    EXPECT_EQ(difference(*open_stack(scratch, {"scratch.qcow2"}, Sums::without), disk, random), "");
  }
}

}  // namespace
}  // namespace holdfast::image::test
