#include "engine/capture/sample.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "engine/capture/cluster_feed.h"
#include "engine/capture/cluster_plan.h"

namespace holdfast::capture {

Result<Sample::Found> Sample::look(source::DiskReader& reader, std::span<const source::Extent> extents,
                                   const source::Cancel& cancel) {
  Found found;
  if (extents.empty()) return found;
  const std::uint64_t begin = extents.front().offset;
  const std::uint64_t end = extents.back().offset + extents.back().length;
  HF_CHECK(parent_->turn_to(begin, end - begin));
  HF_CHECK(check_zeros(reader, extents, cancel, found));
  if (found.lie || percent_ == 0) return found;
  HF_CHECK(compare(reader, choose(unchanged_data(extents)), cancel, found));
  return found;
}

Result<Sample::Found> Sample::look_at_end(source::DiskReader& reader, std::uint64_t segment,
                                          const source::Cancel& cancel) {
  Found found;
  for (std::uint64_t end = capacity_; end > 0;) {
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    const std::uint64_t begin = round_down(end - 1, segment);
    HF_TRY(const auto last, last_unchanged(reader, begin, end));
    if (last) {
      HF_CHECK(compare(reader, std::array{*last}, cancel, found));
      return found;
    }
    end = begin;
  }
  return found;
}

// Returns the last cluster of the range that the parent has as data, and that the source calls unchanged
// data.
Result<std::optional<std::uint64_t>> Sample::last_unchanged(source::DiskReader& reader, std::uint64_t begin,
                                                            std::uint64_t end) {
  HF_CHECK(parent_->turn_to(begin, end - begin));
  HF_TRY(const std::uint64_t first, parent_->next_data(begin, end));
  if (first >= end) return std::nullopt;
  HF_TRY(const auto extents, reader.extents(begin, end - begin));
  const std::vector<std::uint64_t> unchanged = unchanged_data(extents);
  for (auto cluster = unchanged.rbegin(); cluster != unchanged.rend(); ++cluster) {
    const std::uint64_t cluster_end = *cluster + length_at(*cluster);
    HF_TRY(const std::uint64_t data, parent_->next_data(*cluster, cluster_end));
    if (data < cluster_end) return *cluster;
  }
  return std::nullopt;
}

// Reads the suspects a few at a time, because the first ones mostly settle the matter.
Result<> Sample::check_zeros(source::DiskReader& reader, std::span<const source::Extent> extents,
                             const source::Cancel& cancel, Found& found) {
  std::vector<std::uint64_t> suspects;
  for (const source::Extent& extent : extents) {
    if (extent.changed || !extent.zero) continue;
    const std::uint64_t extent_end = extent.offset + extent.length;
    const std::uint64_t end = extent_end == capacity_ ? capacity_ : round_down(extent_end, unit_);
    for (std::uint64_t at = round_up(extent.offset, unit_); at < end; at += unit_) {
      HF_TRY(at, parent_->next_data(at, end));
      if (at < end) suspects.push_back(at);
      if (suspects.size() < kAtLeast) continue;
      HF_CHECK(compare(reader, suspects, cancel, found));
      if (found.lie) return {};
      suspects.clear();
    }
  }
  return compare(reader, suspects, cancel, found);
}

Result<> Sample::compare(source::DiskReader& reader, std::span<const std::uint64_t> clusters,
                         const source::Cancel& cancel, Found& found) {
  if (clusters.empty()) return {};
  std::vector<source::Range> ranges;
  for (const std::uint64_t cluster : clusters) ranges.push_back({cluster, length_at(cluster)});
  std::vector<std::uint64_t> different;
  ClusterFeed feed(unit_, capacity_, [&](std::uint64_t offset, ByteView bytes) -> Result<> {
    for (std::uint64_t at = 0; at < bytes.size(); at += unit_) {
      const ByteView cluster = bytes.subspan(at, std::min<std::size_t>(unit_, bytes.size() - at));
      HF_TRY(const image::Sum before, parent_->sum_of(offset + at, cluster.size()));
      if (image::content_sum(cluster) != before) different.push_back(offset + at);
    }
    found.bytes_read += bytes.size();
    return {};
  });
  HF_CHECK(reader.read(
      ranges, [&](std::uint64_t offset, ByteView data) { return feed.take(offset, data); }, cancel));

  for (const std::uint64_t cluster : different) {
    HF_TRY(const auto again, reader.extents(cluster, length_at(cluster)));
    found.lie |= std::ranges::none_of(again, &source::Extent::changed);
  }
  return {};
}

std::vector<std::uint64_t> Sample::unchanged_data(std::span<const source::Extent> extents) const {
  const std::uint64_t begin = extents.front().offset;
  const std::uint64_t end = extents.back().offset + extents.back().length;
  const auto index = [&](std::uint64_t offset) { return (offset - begin) / unit_; };
  std::vector<bool> changed(divide_up(end - begin, unit_));
  const auto unit = static_cast<std::uint32_t>(unit_);
  const auto mark = [&](const std::vector<source::Range>& ranges) {
    for (const source::Range& range : ranges)
      for (std::uint64_t at = range.offset; at < range.offset + range.length; at += unit_)
        changed[index(at)] = true;
  };
  const ClusterPlan changes = plan_clusters(extents, unit, capacity_, true);
  mark(changes.read);
  mark(changes.zero);

  std::vector<source::Extent> all(extents.begin(), extents.end());
  for (source::Extent& extent : all) extent.changed = true;
  const ClusterPlan whole = plan_clusters(all, unit, capacity_, true);
  std::vector<std::uint64_t> found;
  for (const source::Range& range : whole.read)
    for (std::uint64_t at = range.offset; at < range.offset + range.length; at += unit_)
      if (!changed[index(at)]) found.push_back(at);
  return found;
}

std::vector<std::uint64_t> Sample::choose(const std::vector<std::uint64_t>& clusters) {
  std::vector<std::uint64_t> chosen;
  const std::uint64_t count = std::max<std::uint64_t>(kAtLeast, clusters.size() * percent_ / 100);
  std::ranges::sample(clusters, std::back_inserter(chosen), static_cast<std::ptrdiff_t>(count), random_);
  return chosen;
}

}  // namespace holdfast::capture
