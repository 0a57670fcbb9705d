// Compares QEMU's reading of a disk with ours, on real images.
#include "engine/verify/second_opinion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalog/base/disk.h"
#include "tests/lib/process.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::verify {
namespace {

using source::nbd::ServedImage;
using test::Process;
using test::TemporaryDirectory;
using testing::HasSubstr;

class SecondOpinion : public testing::Test {
 protected:
  // Makes a qcow2 of 64 MiB with 1 MiB of the given byte at the given place.
  std::string image(const std::string& name, int byte, const std::string& at) {
    const std::string path = directory_ / name;
    EXPECT_EQ(Process::run({"qemu-img", "create", "-q", "-f", "qcow2", path, "64M"}), 0);
    const std::string write = "write -q -P " + std::to_string(byte) + " " + at + " 1M";
    EXPECT_EQ(Process::run({"qemu-io", "-f", "qcow2", "-c", write, path}), 0);
    return path;
  }
  std::shared_ptr<image::Stack> ours(const std::string& name) {
    const auto directory = open_directory(directory_ / "").value();
    std::vector<image::LayerFiles> layers(1);
    layers.front().image = directory->open(name, Access::read).value();
    return image::Stack::open(std::move(layers)).value();
  }
  std::unique_ptr<ServedImage> theirs(const std::string& name) {
    return ServedImage::open(directory_ / name).value();
  }
  static Result<> look(std::uint64_t) { return {}; }

  TemporaryDirectory directory_;
};

TEST_F(SecondOpinion, the_same_image_compares_equal) {
  image("a", 1, "5M");
  const auto compared = compare(*ours("a"), *theirs("a"), look);
  EXPECT_TRUE(compared) << compared.error().message;
}

TEST_F(SecondOpinion, different_data_is_refused_with_its_offset) {
  image("a", 1, "5M");
  image("b", 2, "5M");
  const auto compared = compare(*ours("a"), *theirs("b"), look);
  ASSERT_FALSE(compared);
  EXPECT_TRUE(compared.error().damage);
  EXPECT_THAT(compared.error().message, HasSubstr(" 5242880 "));
}

TEST_F(SecondOpinion, data_that_only_one_side_reads_is_found) {
  image("a", 1, "5M");
  image("b", 1, "40M");
  EXPECT_FALSE(compare(*ours("a"), *theirs("b"), look));
  EXPECT_FALSE(compare(*ours("b"), *theirs("a"), look));
}

TEST_F(SecondOpinion, an_error_of_the_watcher_ends_the_comparison) {
  image("a", 1, "5M");
  const auto compared =
      compare(*ours("a"), *theirs("a"), [](std::uint64_t) -> Result<> { return fail(ECANCELED, "enough"); });
  ASSERT_FALSE(compared);
  EXPECT_EQ(compared.error().code, ECANCELED);
}

TEST_F(SecondOpinion, a_file_that_is_no_image_is_refused) {
  EXPECT_FALSE(ServedImage::open(directory_ / "nowhere"));
}

}  // namespace
}  // namespace holdfast::verify
