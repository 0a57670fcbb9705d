// Tests images that QEMU made: they read identical, or are refused with a sentence.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/image/fixture.h"

namespace holdfast::image::test {
namespace {

using testing::HasSubstr;

// Returns the record of a disk, and writes it to truth.raw for QEMU.
Bytes make_truth(Scratch& scratch, Random& random, std::uint64_t size) {
  Bytes disk(size);
  random_patches(random, disk, 4096, 40);
  scratch.write("truth.raw", disk);
  return disk;
}

Error refusal(Scratch& scratch, const std::string& name = "a.qcow2") {
  const Error by_inspect = error_of(inspect(*scratch.open(name)));
  std::vector<LayerFiles> layers;
  layers.push_back(layer_files(scratch, name, Sums::without));
  EXPECT_EQ(error_of(Stack::open(std::move(layers))), by_inspect);
  EXPECT_EQ(by_inspect.code, EINVAL);
  return by_inspect;
}

class QemuOptions : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(
    With, QemuOptions,
    testing::Values("-o compat=0.10", "-o compat=1.1", "-c -o compression_type=zlib",
                    "-c -o compression_type=zstd", "-c -o compat=0.10", "-o cluster_size=512",
                    "-o cluster_size=4k", "-o cluster_size=2M", "-c -o cluster_size=512",
                    "-c -o cluster_size=2M", "-c -o cluster_size=2M,compression_type=zstd",
                    "-o refcount_bits=1", "-o refcount_bits=2", "-o refcount_bits=4", "-o refcount_bits=8",
                    "-o refcount_bits=32", "-o refcount_bits=64", "-o refcount_bits=64,cluster_size=512",
                    "-o lazy_refcounts=on", "-o preallocation=off", "-o preallocation=metadata",
                    "-o preallocation=falloc", "-o preallocation=full",
                    "-o preallocation=metadata,compat=0.10,cluster_size=4k", "-S 0", "-S 64k"));

TEST_P(QemuOptions, an_image_converted_by_qemu_reads_identical) {
  Random random;
  Scratch scratch;
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{512}, 3 * kMiB + 512 * 7, 5 * kMiB}) {
    const Bytes disk = make_truth(scratch, random, size);
    sh(scratch, fmt::format("qemu-img convert -f raw -O qcow2 {} truth.raw a.qcow2", GetParam()));
    EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "") << size;
  }
}

TEST(Foreign, a_chain_that_qemu_made_reads_identical) {
  Random random;
  Scratch scratch;
  Bytes disk(6 * kMiB);
  std::vector<std::string> names;
  for (int layer = 0; layer < 8; ++layer) {
    const std::string name = fmt::format("{}.qcow2", layer);
    const char* features[] = {"compat=1.1", "compat=0.10,cluster_size=4k", "cluster_size=512",
                              "cluster_size=1M"};
    std::string create =
        fmt::format("qemu-img create -q -f qcow2 -o {} ", random.pick<const char*>(features));
    if (!names.empty()) create += fmt::format("-F qcow2 -b {} ", names.front());
    const std::uint64_t size = random.between(1, 12) * 512 * kKiB;
    std::string script = create + fmt::format("{} {} && qemu-io -f qcow2 ", name, size);
    disk.resize(size);
    for (int write = 0; write < 8; ++write) {
      const std::uint64_t offset = random.below(size / 512) * 512;
      const std::uint64_t length =
          random.between(1, std::min<std::uint64_t>((size - offset) / 512, 900)) * 512;
      const auto byte = static_cast<std::byte>(write == 0 ? 0 : random.between(1, 255));
      script += fmt::format("-c 'write {} {} {}' ",
                            write == 0 ? "-z" : fmt::format("-P {}", static_cast<int>(byte)), offset, length);
      std::fill_n(disk.begin() + static_cast<std::ptrdiff_t>(offset), length, byte);
    }
    sh(scratch, script + name);
    names.insert(names.begin(), name);
  }
  EXPECT_EQ(qemu_difference(scratch, names.front(), disk), "");
  EXPECT_EQ(difference(*open_stack(scratch, names, Sums::without), disk, random), "");
}

TEST(Foreign, discarded_clusters_read_as_qemu_reads_them) {
  Random random;
  Scratch scratch;
  Bytes disk = make_truth(scratch, random, 4 * kMiB);
  sh(scratch,
     "qemu-img convert -f raw -O qcow2 truth.raw base.qcow2 && "
     "qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 top.qcow2 && "
     "qemu-io -f qcow2 -d unmap -c 'write -P 1 0 1M' -c 'discard 256k 256k' -c 'write -zu 2M 512k' "
     "top.qcow2");
  sh(scratch, "qemu-img convert -f qcow2 -O raw top.qcow2 seen.raw");
  EXPECT_EQ(difference(*open_stack(scratch, {"top.qcow2", "base.qcow2"}, Sums::without),
                       scratch.read("seen.raw"), random),
            "");
}

TEST(Foreign, an_image_with_internal_snapshots_reads_its_current_state) {
  Random random;
  Scratch scratch;
  const Bytes disk = make_truth(scratch, random, 2 * kMiB);
  sh(scratch, "qemu-img convert -f raw -O qcow2 truth.raw a.qcow2 && qemu-img snapshot -c before a.qcow2");
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "");
}

TEST(Foreign, images_of_every_cluster_size_and_codec_read_identical) {
  Random random;
  Scratch scratch;
  const Bytes disk = make_truth(scratch, random, 3 * kMiB + 512);
  for (std::uint32_t bits = 9; bits <= 21; ++bits)
    for (const char* codec : {"", "-c -o compression_type=zlib", "-c -o compression_type=zstd"}) {
      sh(scratch, fmt::format("qemu-img convert -f raw -O qcow2 {} -o cluster_size={} truth.raw a.qcow2",
                              codec, 1u << bits));
      EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "")
          << (1u << bits) << " " << codec;
    }
}

TEST(Foreign, an_image_with_bitmaps_reads_as_without_them) {
  Random random;
  Scratch scratch;
  const Bytes disk = make_truth(scratch, random, 2 * kMiB);
  sh(scratch,
     "qemu-img convert -f raw -O qcow2 truth.raw a.qcow2 && qemu-img bitmap --add -g 4k a.qcow2 one && "
     "qemu-img bitmap --add --disable a.qcow2 two");
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "");
}

TEST(Foreign, an_image_changed_since_its_snapshot_reads_its_current_state) {
  Random random;
  Scratch scratch;
  Bytes disk = make_truth(scratch, random, 2 * kMiB);
  sh(scratch,
     "qemu-img convert -c -f raw -O qcow2 truth.raw a.qcow2 && qemu-img snapshot -c before a.qcow2 && "
     "qemu-io -f qcow2 -c 'write -P 9 100k 900k' a.qcow2");
  std::fill_n(disk.begin() + 100 * kKiB, 900 * kKiB, std::byte{9});
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "");
}

TEST(Foreign, an_image_resized_by_qemu_reads_identical) {
  Random random;
  Scratch scratch;
  Bytes disk = make_truth(scratch, random, 2 * kMiB);
  sh(scratch, "qemu-img convert -f raw -O qcow2 truth.raw a.qcow2 && qemu-img resize -q -f qcow2 a.qcow2 5M");
  disk.resize(5 * kMiB);
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "");
  sh(scratch, "qemu-img resize -q --shrink -f qcow2 a.qcow2 1M");
  disk.resize(kMiB);
  EXPECT_EQ(difference(*open_stack(scratch, {"a.qcow2"}, Sums::without), disk, random), "");
}

TEST(Foreign, inspect_returns_the_facts_of_the_header) {
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow2 -o compat=0.10,cluster_size=4k a.qcow2 3M");
  const ImageFacts facts = must(inspect(*scratch.open("a.qcow2")));
  EXPECT_EQ(facts.version, 2);
  EXPECT_EQ(facts.virtual_size, 3 * kMiB);
  EXPECT_EQ(facts.cluster_size, 4096u);
  EXPECT_EQ(facts.backing_file, "");
  EXPECT_EQ(facts.image_id, "");
  EXPECT_FALSE(facts.zstd);
}

TEST(Foreign, a_backing_name_is_never_followed) {
  Scratch scratch;
  sh(scratch,
     "qemu-img create -q -f qcow2 base.qcow2 1M && qemu-img create -q -f qcow2 -F qcow2 -b base.qcow2 "
     "a.qcow2");
  std::vector<LayerFiles> layers;
  layers.push_back(layer_files(scratch, "a.qcow2", Sums::without));
  EXPECT_THAT(error_of(Stack::open(std::move(layers))).message,
              HasSubstr("has the backing file 'base.qcow2'"));
}

struct Unreadable {
  const char* name;
  const char* command;
  const char* says;
};
class Refused : public testing::TestWithParam<Unreadable> {};
INSTANTIATE_TEST_SUITE_P(
    Because, Refused,
    testing::Values(
        Unreadable{"aes",
                   "qemu-img create -q --object secret,id=s,data=x -f qcow2 -o "
                   "encrypt.format=aes,encrypt.key-secret=s a.qcow2 1M",
                   "encrypted (method 1)"},
        Unreadable{"raw_data_file",
                   "qemu-img create -q -f qcow2 -o data_file=d.raw,data_file_raw=on a.qcow2 1M",
                   "another file"},
        Unreadable{"data_file", "qemu-img create -q -f qcow2 -o data_file=d.raw a.qcow2 1M", "another file"},
        Unreadable{"extended_l2", "qemu-img create -q -f qcow2 -o extended_l2=on a.qcow2 1M", "extended L2"},
        Unreadable{"version_1", "qemu-img create -q -f qcow a.qcow2 1M", "version 1"},
        Unreadable{"raw", "truncate -s 1M a.qcow2", "no qcow2"},
        Unreadable{"empty", "truncate -s 0 a.qcow2", "no qcow2"},
        Unreadable{"vmdk", "qemu-img create -q -f vmdk a.qcow2 1M", "no qcow2"}),
    [](const auto& unreadable) { return std::string{unreadable.param.name}; });

TEST_P(Refused, an_unreadable_image_is_refused_with_a_command_that_helps) {
  Scratch scratch;
  sh(scratch, GetParam().command);
  EXPECT_THAT(refusal(scratch).message, HasSubstr(GetParam().says));
  EXPECT_THAT(refusal(scratch).message, HasSubstr("by `qemu-img convert -O qcow2`"));
}

// Replaces bytes in the header of a sound image.
class Header : public testing::Test {
 protected:
  Header() {
    sh(scratch_, "qemu-img create -q -f qcow2 a.qcow2 1G && qemu-io -f qcow2 -c 'write 0 1M' a.qcow2");
  }

  template <class T>
  std::string refusal_with(std::size_t offset, T value) {
    Bytes bytes = scratch_.read("a.qcow2");
    store_be(bytes.data() + offset, value);
    scratch_.write("b.qcow2", bytes);
    return refusal(scratch_, "b.qcow2").message;
  }

  Scratch scratch_;
};

TEST_F(Header, dirty_and_corrupt_marks_are_refused) {
  EXPECT_THAT(refusal_with<std::uint64_t>(72, 1), HasSubstr("not closed"));
  EXPECT_THAT(refusal_with<std::uint64_t>(72, 2), HasSubstr("corrupt"));
}

// Alters a header, because QEMU spends long on the key of a real LUKS image.
TEST_F(Header, luks_is_refused) {
  EXPECT_THAT(refusal_with<std::uint32_t>(32, 2), HasSubstr("encrypted (method 2)"));
}

TEST_F(Header, unknown_features_are_refused_when_they_are_incompatible) {
  EXPECT_THAT(refusal_with<std::uint64_t>(72, std::uint64_t{1} << 40), HasSubstr("unsupported features"));
  Bytes bytes = scratch_.read("a.qcow2");
  store_be(bytes.data() + 80, ~std::uint64_t{0});  // compatible features
  store_be(bytes.data() + 88, ~std::uint64_t{0});  // autoclear features
  scratch_.write("a.qcow2", bytes);
  EXPECT_TRUE(inspect(*scratch_.open("a.qcow2")));
}

TEST_F(Header, versions_and_sizes_that_are_not_known_are_refused) {
  EXPECT_THAT(refusal_with<std::uint32_t>(4, 4), HasSubstr("version 4"));
  EXPECT_THAT(refusal_with<std::uint32_t>(20, 8), HasSubstr("2^8"));
  EXPECT_THAT(refusal_with<std::uint32_t>(20, 22), HasSubstr("2^22"));
  EXPECT_THAT(refusal_with<std::uint32_t>(96, 7), HasSubstr("refcounts"));
  EXPECT_THAT(refusal_with<std::uint32_t>(100, 96), HasSubstr("header of 96 bytes"));
  EXPECT_THAT(refusal_with<std::uint32_t>(100, 105), HasSubstr("header of 105 bytes"));
  EXPECT_THAT(refusal_with<std::uint32_t>(100, 1 << 20), HasSubstr("header of 1048576 bytes"));
}

TEST_F(Header, tables_that_do_not_fit_are_refused) {
  EXPECT_THAT(refusal_with<std::uint64_t>(24, 1 * kTiB), HasSubstr("too few"));
  EXPECT_THAT(refusal_with<std::uint64_t>(24, UINT64_MAX), HasSubstr("too few"));
  EXPECT_THAT(refusal_with<std::uint32_t>(36, UINT32_MAX), HasSubstr("L1 table"));
  EXPECT_THAT(refusal_with<std::uint64_t>(40, 512), HasSubstr("it must begin at a cluster"));
  EXPECT_THAT(refusal_with<std::uint64_t>(40, std::uint64_t{1} << 50), HasSubstr("outside of the file"));
  EXPECT_THAT(refusal_with<std::uint64_t>(40, 0), HasSubstr("where its header is"));
  EXPECT_THAT(refusal_with<std::uint64_t>(48, std::uint64_t{1} << 63), HasSubstr("refcount table"));
}

TEST_F(Header, a_backing_name_outside_of_the_first_cluster_is_refused) {
  Bytes bytes = scratch_.read("a.qcow2");
  store_be<std::uint64_t>(bytes.data() + 8, 65530);
  store_be<std::uint32_t>(bytes.data() + 16, 7);
  scratch_.write("a.qcow2", bytes);
  EXPECT_THAT(refusal(scratch_).message, HasSubstr("backing file name"));
}

TEST_F(Header, a_compression_type_that_contradicts_its_bit_is_refused) {
  EXPECT_THAT(refusal_with<std::uint16_t>(104, 1 << 8), HasSubstr("contradicts"));
  EXPECT_THAT(refusal_with<std::uint16_t>(104, 2 << 8), HasSubstr("compression type 2"));
  EXPECT_THAT(refusal_with<std::uint64_t>(72, 8), HasSubstr("contradicts"));
}

TEST_F(Header, a_table_entry_that_points_outside_fails_the_reads_that_need_it_only) {
  Bytes bytes = scratch_.read("a.qcow2");
  const auto l1 = load_be<std::uint64_t>(bytes.data() + 40);
  const auto l2 = load_be<std::uint64_t>(bytes.data() + l1) & 0x00fffffffffffe00;
  for (const std::uint64_t entry : {std::uint64_t{1} << 50, std::uint64_t{512}, std::uint64_t{3} << 62}) {
    store_be<std::uint64_t>(bytes.data() + l2, entry);
    scratch_.write("b.qcow2", bytes);
    const auto stack = open_stack(scratch_, {"b.qcow2"}, Sums::without);
    Bytes into(512);
    EXPECT_EQ(error_of(stack->read(0, into)).code, EIO);
    EXPECT_TRUE(stack->read(Writer::kSegment, into));
  }
}

TEST_F(Header, an_image_cut_short_fails_instead_of_giving_zeros) {
  Bytes bytes = scratch_.read("a.qcow2");
  bytes.resize(bytes.size() - 65536);
  scratch_.write("b.qcow2", bytes);
  const auto stack = open_stack(scratch_, {"b.qcow2"}, Sums::without);
  Bytes into(kMiB);
  EXPECT_EQ(error_of(stack->read(0, into)).code, EIO);
}

TEST(Mutated, mutated_images_give_an_error_or_bytes_and_nothing_worse) {
  Random random;
  Scratch scratch;
  const Bytes disk = make_truth(scratch, random, 4 * kMiB);
  sh(scratch, "qemu-img convert -c -f raw -O qcow2 -o cluster_size=4k truth.raw a.qcow2");
  const Bytes good = scratch.read("a.qcow2");
  for (std::size_t i = 0; i < tries(300, 10'000); ++i) {
    Bytes bad = good;
    if (random.one_in(10)) bad.resize(random.below(bad.size()));
    for (std::uint64_t n = random.between(1, 20); n != 0 && !bad.empty(); --n)
      bad[random.one_in(2) ? random.below(bad.size())
                           : random.below(std::min<std::size_t>(bad.size(), 200))] =
          static_cast<std::byte>(random.next());
    scratch.write("bad.qcow2", bad);
    std::vector<LayerFiles> layers;
    layers.push_back(layer_files(scratch, "bad.qcow2", Sums::without));
    const auto stack = Stack::open(std::move(layers));
    if (!stack) continue;
    Bytes into(std::min<std::uint64_t>((*stack)->size(), 5 * kMiB));
    const auto outcome = (*stack)->read(0, into);
    EXPECT_TRUE(outcome || outcome.error().code == EIO) << outcome.error().message;
    for (std::uint64_t at = 0; at < (*stack)->size();) {
      const auto extent = (*stack)->extent(at, 64 * kMiB);
      if (!extent || at > 256 * kMiB) break;
      at += extent->length;
    }
  }
}

}  // namespace
}  // namespace holdfast::image::test
