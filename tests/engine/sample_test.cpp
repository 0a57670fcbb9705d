// Compares a source's word with the parent: by the sums of its content, and by its images.
#include "engine/capture/sample.h"

#include <gtest/gtest.h>

#include "engine/image/writer.h"
#include "tests/lib/memory_file.h"

namespace holdfast::capture {
namespace {

using test::MemoryFile;

constexpr std::uint32_t kSampled = 64 * kKiB;
constexpr std::uint64_t kClusters = 2000;  // clusters of data; as many of zeros follow
constexpr std::uint64_t kDiskSize = 2 * kClusters * kSampled;

Bytes filled(char with) { return Bytes(kSampled, static_cast<std::byte>(with)); }

// A disk in memory that claims what the test wants.
class Told final : public source::DiskReader {
 public:
  Result<std::vector<source::Extent>> extents(std::uint64_t offset, std::uint64_t length) override {
    return std::vector<source::Extent>{{offset, length, false, changed_by_now}};
  }
  Result<> read(std::span<const source::Range> ranges, const Sink& sink, const source::Cancel&) override {
    last_read = ranges.back().offset;
    for (const source::Range& range : ranges)
      for (std::uint64_t at = range.offset; at < range.offset + range.length; at += kSampled)
        HF_CHECK(sink(at, filled(with)));
    return {};
  }

  char with = 'a';
  bool changed_by_now = false;
  std::uint64_t last_read = 0;
};

std::unique_ptr<Before> by_sums() {
  static const image::ContentReader parent = [] {
    const image::ContentShape shape{.cluster_size = kSampled, .disk_size = kDiskSize, .id = {}};
    auto file = std::make_unique<MemoryFile>("content");
    auto sums = image::ContentWriter::create(*file, shape).value();
    EXPECT_TRUE(sums.write(0, std::vector<image::Sum>(kClusters, image::content_sum(filled('a')))));
    const std::string sha256 = sums.finish().value();
    return image::ContentReader::open(std::move(file), shape, sha256).value();
  }();
  return std::make_unique<SumsBefore>(parent, kSampled);
}

std::unique_ptr<Before> by_images() {
  auto file = std::make_unique<MemoryFile>("image"), sums = std::make_unique<MemoryFile>("sums");
  const image::WriterOptions options{.virtual_size = kDiskSize, .id = image::new_image_id()};
  const auto writer = image::Writer::create(*file, *sums, options).value();
  for (std::uint64_t at = 0; at < kClusters * kSampled; at += kSampled)
    EXPECT_TRUE(writer->write(at, filled('a')));
  EXPECT_TRUE(writer->finish_segment(0));
  EXPECT_TRUE(writer->finish());
  std::vector<image::LayerFiles> layers(1);
  layers[0].image = std::move(file);
  layers[0].sums = std::move(sums);
  return std::make_unique<ImagesBefore>(image::Stack::open(std::move(layers)).value());
}

struct Parent {
  const char* name;
  std::unique_ptr<Before> (*made)();
};

class Sampling : public testing::TestWithParam<Parent> {
 protected:
  Sample::Found look_at(const std::vector<source::Extent>& extents, unsigned percent) {
    Sample sample(GetParam().made(), kSampled, kDiskSize, percent);
    return sample.look(reader_, extents, source::Cancel{}).value();
  }
  Sample::Found look_at_end() {
    Sample sample(GetParam().made(), kSampled, kDiskSize, 0);
    return sample.look_at_end(reader_, kDiskSize / 8, source::Cancel{}).value();
  }
  Sample::Found look(source::Extent extent, unsigned percent = 1) { return look_at({extent}, percent); }
  static source::Extent data(bool zero, bool changed) { return {0, kClusters * kSampled, zero, changed}; }
  static source::Extent zeros(bool zero) { return {kClusters * kSampled, 100 * kSampled, zero, false}; }

  Told reader_;
};

TEST_P(Sampling, a_share_of_the_unchanged_clusters_is_read) {
  const auto found = look(data(false, false), 5);
  EXPECT_EQ(found.bytes_read, kClusters / 20 * kSampled);
  EXPECT_FALSE(found.lie);
}

TEST_P(Sampling, at_least_sixteen_clusters_are_read) {
  EXPECT_EQ(look({0, 100 * kSampled, false, false}).bytes_read, Sample::kAtLeast * kSampled);
}

TEST_P(Sampling, changed_clusters_are_not_read) { EXPECT_EQ(look(data(false, true)).bytes_read, 0u); }

TEST_P(Sampling, changed_data_called_unchanged_is_found) {
  reader_.with = 'b';
  EXPECT_TRUE(look(data(false, false)).lie);
}

TEST_P(Sampling, without_a_percentage_no_unchanged_data_is_read) {
  reader_.with = 'b';
  const auto found = look(data(false, false), 0);
  EXPECT_FALSE(found.lie);
  EXPECT_EQ(found.bytes_read, 0u);
}

// This happens to a disk that was made smaller and as large again.
TEST_P(Sampling, unchanged_zeros_over_the_parents_data_are_found_without_a_percentage) {
  reader_.with = '\0';
  const auto found = look(data(true, false), 0);
  EXPECT_TRUE(found.lie);
  EXPECT_EQ(found.bytes_read, Sample::kAtLeast * kSampled) << "the first ones prove it";
}

TEST_P(Sampling, one_unchanged_cluster_of_zeros_is_found_among_data) {
  constexpr std::uint64_t kAt = 1234 * kSampled;
  reader_.with = '\0';
  const auto found = look_at({{0, kAt, false, false},
                              {kAt, kSampled, true, false},
                              {kAt + kSampled, kDiskSize - kAt - kSampled, false, false}},
                             0);
  EXPECT_TRUE(found.lie);
  EXPECT_EQ(found.bytes_read, kSampled);
}

// A source may go on to describe a lost end as data.
TEST_P(Sampling, the_last_unchanged_cluster_of_the_parents_data_is_compared) {
  EXPECT_FALSE(look_at_end().lie);
  EXPECT_EQ(reader_.last_read, (kClusters - 1) * kSampled);
  reader_.with = '\0';
  const auto found = look_at_end();
  EXPECT_TRUE(found.lie);
  EXPECT_EQ(found.bytes_read, kSampled);
}

TEST_P(Sampling, the_end_of_a_disk_that_has_changed_is_not_compared) {
  reader_.changed_by_now = true;
  EXPECT_EQ(look_at_end().bytes_read, 0u);
}

TEST_P(Sampling, unchanged_zeros_that_read_as_the_parents_data_are_no_lie) {
  const auto found = look(data(true, false), 0);
  EXPECT_FALSE(found.lie);
  EXPECT_EQ(found.bytes_read, kClusters * kSampled);
}

TEST_P(Sampling, zeros_called_changed_are_no_lie) {
  reader_.with = '\0';
  const auto found = look(data(true, true), 0);
  EXPECT_FALSE(found.lie);
  EXPECT_EQ(found.bytes_read, 0u);
}

TEST_P(Sampling, unchanged_zeros_in_a_part_of_a_cluster_are_not_checked) {
  reader_.with = '\0';
  const auto found = look_at({{0, kSampled / 2, true, false}, {kSampled / 2, kSampled / 2, false, false}}, 0);
  EXPECT_FALSE(found.lie);
  EXPECT_EQ(found.bytes_read, 0u);
}

TEST_P(Sampling, data_called_unchanged_over_zeros_of_the_parent_is_found) {
  EXPECT_TRUE(look(zeros(false)).lie);
}

TEST_P(Sampling, zeros_called_unchanged_over_zeros_are_believed_without_reading) {
  const auto found = look(zeros(true));
  EXPECT_FALSE(found.lie);
  EXPECT_EQ(found.bytes_read, 0u);
}

TEST_P(Sampling, a_change_after_the_question_is_no_lie) {
  reader_.with = 'b';
  reader_.changed_by_now = true;
  EXPECT_FALSE(look(data(false, false)).lie);
  reader_.with = '\0';
  EXPECT_FALSE(look(data(true, false)).lie);
}

INSTANTIATE_TEST_SUITE_P(Against, Sampling,
                         testing::Values(Parent{"Sums", by_sums}, Parent{"Images", by_images}),
                         [](const auto& parent) { return std::string(parent.param.name); });

}  // namespace
}  // namespace holdfast::capture
