// Tests of what the filter passes to an image, and of the sums that it keeps.
#include "engine/capture/content_filter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/lib/memory_file.h"

namespace holdfast::capture {
namespace {

using image::ContentReader;
using image::ContentShape;
using image::ContentWriter;
using image::Sum;
using test::MemoryFile;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kCluster = 1 << 21;  // large, so that a segment has few clusters
constexpr std::uint64_t kSegment = image::Writer::kSegment;
constexpr ContentShape kShape{.cluster_size = kCluster, .disk_size = 3 * kSegment + kCluster + 512, .id = {}};

// Records what it is given, in place of an image.
class Notes final : public image::Writer {
 public:
  Result<> write(std::uint64_t offset, ByteView data) override {
    list.push_back(fmt::format("write {} {}", offset / kCluster, data.size()));
    return {};
  }
  Result<> zero(std::uint64_t offset, std::uint64_t length) override {
    list.push_back(fmt::format("zero {} {}", offset / kCluster, length));
    return {};
  }
  Result<> finish_segment(std::uint64_t) override { return {}; }
  Result<image::WriterSummary> finish() override { return image::WriterSummary{}; }

  std::vector<std::string> list;
};

Bytes cluster(char with, std::size_t size = kCluster) { return Bytes(size, static_cast<std::byte>(with)); }

// Makes the points of one disk, one after another.
class Disk {
 public:
  // Returns what the filter passed on of `fill`.
  template <class F>
  std::vector<std::string> point(F fill) {
    Notes notes;
    auto file = std::make_unique<MemoryFile>("content");
    ContentWriter sums = ContentWriter::create(*file, kShape).value();
    ContentFilter filter(notes, sums, parent_ ? &*parent_ : nullptr, kShape);
    fill(filter);
    EXPECT_TRUE(filter.finish());
    const std::string sha256 = sums.finish().value();
    parent_.emplace(ContentReader::open(std::move(file), kShape, sha256).value());
    return notes.list;
  }
  const ContentReader& content() const { return *parent_; }

 private:
  std::optional<ContentReader> parent_;
};

TEST(ContentFilter, clusters_that_differ_from_the_parent_are_written) {
  Disk disk;
  const Bytes two = [] {
    Bytes bytes = cluster('a');
    const Bytes more = cluster('b');
    bytes.insert(bytes.end(), more.begin(), more.end());
    return bytes;
  }();
  const auto both = [&](ContentFilter& filter) {
    EXPECT_TRUE(filter.write(0, two));
    EXPECT_TRUE(filter.finish_segment(0));
  };
  EXPECT_THAT(disk.point(both), ElementsAre("write 0 2097152", "write 1 2097152"));
  EXPECT_THAT(disk.point(both), IsEmpty());
  EXPECT_THAT(disk.point([&](ContentFilter& filter) {
    EXPECT_TRUE(filter.write(0, cluster('a')));
    EXPECT_TRUE(filter.write(kCluster, cluster('c')));
    EXPECT_TRUE(filter.finish_segment(0));
  }),
              ElementsAre("write 1 2097152"));
}

TEST(ContentFilter, zeros_are_written_only_over_data_of_the_parent) {
  Disk disk;
  disk.point([](ContentFilter& filter) { EXPECT_TRUE(filter.write(kCluster, cluster('a'))); });
  EXPECT_THAT(disk.point([](ContentFilter& filter) { EXPECT_TRUE(filter.zero(0, 3 * kCluster)); }),
              ElementsAre("zero 1 2097152"));
  EXPECT_THAT(disk.point([](ContentFilter& filter) { EXPECT_TRUE(filter.zero(0, 3 * kCluster)); }),
              IsEmpty());
  EXPECT_THAT(disk.point([](ContentFilter& filter) { EXPECT_TRUE(filter.write(0, cluster('\0'))); }),
              IsEmpty());
}

TEST(ContentFilter, clusters_that_are_not_written_keep_the_sums_of_the_parent) {
  Disk disk;
  const std::uint64_t end = kShape.disk_size - 512;
  disk.point([&](ContentFilter& filter) {
    EXPECT_TRUE(filter.write(0, cluster('a')));
    EXPECT_TRUE(filter.write(kSegment, cluster('b')));
    EXPECT_TRUE(filter.write(end, cluster('c', 512)));
  });
  disk.point([](ContentFilter& filter) {
    EXPECT_TRUE(filter.write(2 * kSegment, cluster('d')));
    EXPECT_TRUE(filter.finish_segment(2 * kSegment));
  });
  const auto sum_at = [&](std::uint64_t offset) {
    return disk.content().read(offset / kCluster, 1).value()[0];
  };
  EXPECT_EQ(sum_at(0), image::content_sum(cluster('a')));
  EXPECT_EQ(sum_at(kSegment), image::content_sum(cluster('b')));
  EXPECT_EQ(sum_at(2 * kSegment), image::content_sum(cluster('d')));
  EXPECT_EQ(sum_at(end), image::content_sum(cluster('c', 512)));
  EXPECT_EQ(sum_at(3 * kSegment), image::kZeroContent);
}

TEST(ContentFilter, writing_into_an_earlier_segment_is_refused) {
  Disk disk;
  disk.point([](ContentFilter& filter) {
    EXPECT_TRUE(filter.write(kSegment, cluster('a')));
    EXPECT_FALSE(filter.write(0, cluster('a')));
  });
}

}  // namespace
}  // namespace holdfast::capture
