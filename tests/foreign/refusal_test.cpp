// Tests that other images are refused with a sentence, and that the command in the sentence makes an image
// that can be imported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/foreign/fixture.h"

namespace holdfast::foreign::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kDiskSize = 2 * kMiB;

std::string refusal(const Scratch& scratch, const std::string& name = "a.img") {
  return error_of(try_open(scratch, name)).message;
}

// Returns the command at the end of a sentence.
std::string way_in(const std::string& sentence) {
  const auto begin = sentence.find('`'), end = sentence.rfind('`');
  if (begin == end) throw std::runtime_error("no command in: " + sentence);
  return sentence.substr(begin + 1, end - begin - 1);
}

struct Refused {
  const char* name;
  const char* command;  // makes a.img from truth.raw
  const char* says;
};
class Unreadable : public testing::TestWithParam<Refused> {};
INSTANTIATE_TEST_SUITE_P(
    Because, Unreadable,
    testing::Values(
        Refused{"extended_l2", "qemu-img convert -f raw -O qcow2 -o extended_l2=on truth.raw a.img",
                "extended L2"},
        Refused{"a_data_file", "qemu-img convert -f raw -O qcow2 -o data_file=$PWD/d.raw truth.raw a.img",
                "keeps its data in another file"},
        Refused{"an_increment", "qemu-img create -q -f qcow2 -F raw -b truth.raw a.img",
                "has the backing file truth.raw"},
        Refused{"a_version_1_increment", "qemu-img create -q -f qcow -F raw -b truth.raw a.img",
                "has the backing file truth.raw"},
        Refused{"a_raw_disk", "cp truth.raw a.img", "has no mark of any image format"},
        Refused{"vmdk", "qemu-img convert -f raw -O vmdk truth.raw a.img", "is a vmdk image"},
        Refused{"vdi", "qemu-img convert -f raw -O vdi truth.raw a.img", "is a vdi image"},
        Refused{"vhdx", "qemu-img convert -f raw -O vhdx truth.raw a.img", "is a vhdx image"},
        Refused{"vhd", "qemu-img convert -f raw -O vpc -o force_size=on truth.raw a.img", "is a vpc image"},
        Refused{"a_fixed_vhd",
                "qemu-img convert -f raw -O vpc -o force_size=on,subformat=fixed truth.raw a.img",
                "is a vpc image"},
        Refused{"qed", "qemu-img convert -f raw -O qed truth.raw a.img", "is a qed image"},
        Refused{
            "aes",
            "printf secret >KEYFILE && qemu-img convert --object secret,id=s,file=KEYFILE -f raw -O qcow2 -o "
            "encrypt.format=aes,encrypt.key-secret=s truth.raw a.img",
            "is encrypted (aes)"},
        Refused{
            "version_1_aes",
            "printf secret >KEYFILE && qemu-img convert --object secret,id=s,file=KEYFILE -f raw -O qcow -o "
            "encrypt.format=aes,encrypt.key-secret=s truth.raw a.img",
            "is encrypted (aes)"}),
    [](const auto& refused) { return std::string{refused.param.name}; });

TEST_P(Unreadable, an_unreadable_image_is_refused_with_a_command_that_converts_it) {
  Random random;
  Scratch scratch;
  const Bytes disk = make_truth(scratch, random, kDiskSize);
  sh(scratch, GetParam().command);
  const std::string sentence = refusal(scratch);
  EXPECT_THAT(sentence, AllOf(HasSubstr(scratch.path("a.img")), HasSubstr(GetParam().says)));
  // The flat image of an increment goes elsewhere; this test's own directory stands in.
  std::string way = way_in(sentence);
  constexpr std::string_view kElsewhere = "/var/tmp/a.img";
  if (const auto at = way.find(kElsewhere); at != std::string::npos)
    way.replace(at, kElsewhere.size(), scratch.path("a.img"));
  sh(scratch, way);
  EXPECT_EQ(difference(*open(scratch, "a.img.plain.qcow2"), disk, random), "");
}

TEST(Way, the_command_works_with_any_file_name) {
  Random random;
  Scratch scratch;
  const Bytes disk = make_truth(scratch, random, kDiskSize);
  const std::string name = "it's, a \"$HOME\" (1).img";
  sh(scratch,
     "printf secret >KEYFILE && qemu-img convert --object secret,id=s,file=KEYFILE -f raw -O qcow2 -o "
     "encrypt.format=aes,encrypt.key-secret=s truth.raw a.img && qemu-img convert -f raw -O vdi truth.raw b");
  for (const char* made : {"a.img", "b"}) {
    std::filesystem::rename(scratch.path(made), scratch.path(name));
    sh(scratch, way_in(refusal(scratch, name)));
    EXPECT_EQ(difference(*open(scratch, name + ".plain.qcow2"), disk, random), "");
  }
}

// Alters the headers of images that QEMU made.
class Altered : public testing::Test {
 protected:
  explicit Altered(const char* command) : disk_(make_truth(scratch_, random_, kDiskSize)) {
    sh(scratch_, command);
  }
  Altered() : Altered("qemu-img convert -f raw -O qcow2 truth.raw a.img") {}

  template <class T>
  std::string refusal_with(std::size_t offset, T value) {
    Bytes bytes = scratch_.read("a.img");
    store_be(bytes.data() + offset, value);
    scratch_.write("b.img", bytes);
    return refusal(scratch_, "b.img");
  }

  Random random_;
  Scratch scratch_;
  Bytes disk_;
};

TEST_F(Altered, an_image_that_was_not_closed_is_repaired_by_the_command) {
  const std::string sentence = refusal_with<std::uint64_t>(72, 1);
  EXPECT_THAT(sentence, HasSubstr("was not closed properly"));
  sh(scratch_, way_in(sentence));
  EXPECT_EQ(difference(*open(scratch_, "b.img"), disk_, random_), "");
}

TEST_F(Altered, a_corrupt_image_is_repaired_by_the_command) {
  const std::string sentence = refusal_with<std::uint64_t>(72, 2);
  EXPECT_THAT(sentence, HasSubstr("is marked as corrupt"));
  sh(scratch_, way_in(sentence));
  EXPECT_EQ(difference(*open(scratch_, "b.img"), disk_, random_), "");
}

// Tests the command's grammar only. A real image takes too long, because QEMU measures the machine's speed
// for its key.
TEST_F(Altered, luks_encryption_is_refused_with_a_command_that_qemu_img_accepts) {
  const std::string sentence = refusal_with<std::uint32_t>(32, 2);
  EXPECT_THAT(sentence, HasSubstr("is encrypted (luks)"));
  const auto tried = image::test::run_in(scratch_, "printf secret >KEYFILE && " + way_in(sentence));
  EXPECT_THAT(tried.output, HasSubstr("Missing CRYPTO header for crypt method 2"));
}

TEST_F(Altered, a_luks_volume_is_refused_with_a_command_that_qemu_img_accepts) {
  Bytes bytes(kMiB);
  std::ranges::copy(as_bytes("LUKS\xba\xbe"), bytes.begin());
  scratch_.write("c.img", bytes);
  const std::string sentence = refusal(scratch_, "c.img");
  EXPECT_THAT(sentence, HasSubstr("is encrypted (luks)"));
  const auto tried = image::test::run_in(scratch_, "printf secret >KEYFILE && " + way_in(sentence));
  EXPECT_THAT(tried.output, HasSubstr("LUKS"));
}

TEST_F(Altered, unknown_features_methods_and_versions_are_refused) {
  EXPECT_THAT(refusal_with<std::uint64_t>(72, std::uint64_t{1} << 40), HasSubstr("unsupported features"));
  EXPECT_THAT(refusal_with<std::uint32_t>(32, 3), HasSubstr("an unknown method"));
  EXPECT_THAT(refusal_with<std::uint32_t>(4, 4), HasSubstr("version 4"));
  EXPECT_THAT(refusal_with<std::uint32_t>(20, 30), HasSubstr("2^30"));
}

// Each entry of the first table leads to the same second table: a few megabytes that take years to count.
TEST(Claim, a_disk_of_an_exbibyte_is_refused_before_it_is_counted) {
  Scratch scratch;
  sh(scratch,
     "qemu-img create -q -f qcow2 -o cluster_size=2M a.img 1024P && "
     "qemu-io -f qcow2 -c 'write 0 2M' a.img >/dev/null");
  Bytes bytes = scratch.read("a.img");
  const auto entries = load_be<std::uint32_t>(bytes.data() + 36);
  std::byte* const table = bytes.data() + load_be<std::uint64_t>(bytes.data() + 40);
  for (std::uint32_t i = 1; i < entries; ++i) std::copy_n(table, 8, table + 8 * std::size_t{i});
  scratch.write("a.img", bytes);
  EXPECT_THAT(error_of(try_open(scratch, "a.img")).message,
              HasSubstr("claims a disk of 1152921504606846976 bytes; at most 281474976710656 are read"));
}

TEST_F(Altered, an_image_cut_off_is_refused_with_a_command_that_saves_the_rest) {
  sh(scratch_,
     "qemu-img convert -f raw -O qcow truth.raw b.img && cp a.img c.img && truncate -s -64k b.img c.img");
  for (const std::string name : {"b.img", "c.img"}) {
    const std::string sentence = refusal(scratch_, name);
    EXPECT_THAT(sentence, AllOf(HasSubstr("the file's "), HasSubstr("take another copy")));
    sh(scratch_, way_in(sentence));
    EXPECT_EQ(open(scratch_, name + ".plain.qcow2")->size(), kDiskSize);
  }
}

class AlteredVersion1 : public Altered {
 protected:
  AlteredVersion1() : Altered("qemu-img convert -f raw -O qcow truth.raw a.img") {}
};

TEST_F(AlteredVersion1, invalid_headers_are_refused) {
  EXPECT_THAT(refusal_with<std::uint16_t>(32, 0x0809), HasSubstr("2^8 bytes"));
  EXPECT_THAT(refusal_with<std::uint16_t>(32, 0x1109), HasSubstr("2^17 bytes"));
  EXPECT_THAT(refusal_with<std::uint16_t>(32, 0x0c05), HasSubstr("2^5 entries"));
  EXPECT_THAT(refusal_with<std::uint16_t>(32, 0x0c0e), HasSubstr("2^14 entries"));
  EXPECT_THAT(refusal_with<std::uint64_t>(24, 0), HasSubstr("must be a multiple of 512"));
  EXPECT_THAT(refusal_with<std::uint64_t>(24, kDiskSize + 1), HasSubstr("must be a multiple of 512"));
  EXPECT_THAT(refusal_with<std::uint64_t>(24, 16 * kTiB), HasSubstr("more than is supported"));
  EXPECT_THAT(refusal_with<std::uint64_t>(24, UINT64_MAX - 511), HasSubstr("more than is supported"));
  EXPECT_THAT(refusal_with<std::uint64_t>(40, 0), HasSubstr("within its header"));
  EXPECT_THAT(refusal_with<std::uint64_t>(40, UINT64_MAX - 7), HasSubstr("the file's "));
  EXPECT_THAT(refusal_with<std::uint32_t>(36, 2), HasSubstr("encrypted"));
}

// libqcow returns wrong bytes from tables that are larger than a cluster.
TEST_F(AlteredVersion1, layouts_that_libqcow_misreads_are_refused_with_a_command) {
  for (const auto& [cluster_bits, table_bits] : {std::pair{9, 12}, {12, 10}, {16, 12}, {16, 13}}) {
    scratch_.write("b.img", qcow1_image(disk_, {static_cast<std::uint32_t>(cluster_bits),
                                                static_cast<std::uint32_t>(table_bits)}));
    const std::string sentence = refusal(scratch_, "b.img");
    EXPECT_THAT(sentence, HasSubstr("which libqcow does not read correctly"));
    sh(scratch_, way_in(sentence));
    EXPECT_EQ(difference(*open(scratch_, "b.img.plain.qcow2"), disk_, random_), "");
  }
}

TEST_F(AlteredVersion1, table_entries_outside_of_the_file_are_refused) {
  const Bytes bytes = scratch_.read("a.img");
  const std::size_t l1 = load_be<std::uint64_t>(bytes.data() + 40);
  const std::size_t l2 = load_be<std::uint64_t>(bytes.data() + l1);
  EXPECT_THAT(refusal_with<std::uint64_t>(l1, std::uint64_t{1} << 63 | l2), HasSubstr("the file's "));
  EXPECT_THAT(refusal_with<std::uint64_t>(l2, std::uint64_t{1} << 50), HasSubstr("the file's "));
  EXPECT_THAT(refusal_with<std::uint64_t>(l2, 8192 + 512), HasSubstr("it must begin at a cluster"));
  EXPECT_THAT(refusal_with<std::uint64_t>(l2, std::uint64_t{1} << 63 | 4096), HasSubstr("0 bytes long"));
}

TEST(File, a_path_to_no_file_or_device_is_refused) {
  Scratch scratch;
  sh(scratch,
     "mkdir d && mkfifo f && qemu-img create -q -f qcow a.img 1M && ln -s a.img link && ln -s d e && "
     "cp a.img d/b.img");
  EXPECT_EQ(error_of(ImageFile::open(scratch.path("absent"))).code, ENOENT);
  EXPECT_THAT(refusal(scratch, "d"), HasSubstr("no file and no block device"));
  EXPECT_THAT(refusal(scratch, "f"), HasSubstr("no file and no block device"));
  EXPECT_THAT(error_of(ImageFile::open("/dev/null")).message, HasSubstr("no file and no block device"));
  EXPECT_THAT(error_of(ImageFile::open("a.img")).message, HasSubstr("no absolute path"));
  EXPECT_THAT(refusal(scratch, "link"),
              AllOf(HasSubstr("symbolic link"), HasSubstr("name the file itself: "), HasSubstr("/a.img")));
  EXPECT_THAT(refusal(scratch, "e/b.img"), HasSubstr("/d/b.img"));
  sh(scratch, ": > empty");
  EXPECT_THAT(refusal(scratch, "empty"), HasSubstr("has no mark"));
}

TEST(File, a_file_that_qemu_writes_to_is_refused) {
  Scratch scratch;
  sh(scratch,
     "qemu-img create -q -f qcow2 a.img 1M && "
     "qemu-nbd --fork --pid-file=$PWD/pid --socket=$PWD/socket -f qcow2 a.img");
  const auto refused = ImageFile::open(scratch.path("a.img"));
  sh(scratch, "kill $(cat pid) && tail -f --pid=$(cat pid) /dev/null");
  EXPECT_EQ(error_of(refused).code, EBUSY);
  EXPECT_THAT(error_of(refused).message, HasSubstr("is being written to"));
  EXPECT_TRUE(try_open(scratch, "a.img"));
}

TEST(File, an_open_file_can_be_read_but_not_written_by_qemu) {
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow a.img 1M");
  auto image = open(scratch, "a.img");
  sh(scratch, "qemu-io -r -f qcow -c 'read 0 512' a.img");
  EXPECT_NE(image::test::run_in(scratch, "qemu-io -f qcow -c 'write 0 512' a.img").status, 0);
  image.reset();
  sh(scratch, "qemu-io -f qcow -c 'write 0 512' a.img");
}

TEST(File, a_write_by_another_program_is_noticed) {
  Scratch scratch;
  sh(scratch, "qemu-img create -q -f qcow a.img 1M");
  const auto image = open(scratch, "a.img");
  must(image->check_unchanged());
  sh(scratch, "printf x >>a.img");
  EXPECT_EQ(error_of(image->check_unchanged()).code, EBUSY);
}

}  // namespace
}  // namespace holdfast::foreign::test
