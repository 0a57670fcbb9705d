#include "engine/capture/sample.h"

#include <algorithm>
#include <iterator>

#include "engine/capture/cluster_feed.h"
#include "engine/capture/cluster_plan.h"

namespace holdfast::capture {

Sample::Unchanged Sample::unchanged(std::span<const source::Extent> extents) const {
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
  Unchanged found;
  const auto collect = [&](const std::vector<source::Range>& ranges, std::vector<std::uint64_t>& into) {
    for (const source::Range& range : ranges)
      for (std::uint64_t at = range.offset; at < range.offset + range.length; at += unit_)
        if (!changed[index(at)]) into.push_back(at);
  };
  collect(whole.read, found.data);
  collect(whole.zero, found.zero);
  return found;
}

std::vector<std::uint64_t> Sample::choose(const std::vector<std::uint64_t>& clusters) {
  std::vector<std::uint64_t> chosen;
  const std::uint64_t count = std::max<std::uint64_t>(kAtLeast, clusters.size() * percent_ / 100);
  std::ranges::sample(clusters, std::back_inserter(chosen), static_cast<std::ptrdiff_t>(count), random_);
  return chosen;
}

Result<Sample::Found> Sample::look(source::DiskReader& reader, std::span<const source::Extent> extents,
                                   const source::Cancel& cancel) {
  Found found;
  if (extents.empty()) return found;
  const std::uint64_t begin = extents.front().offset;
  const std::uint64_t end = extents.back().offset + extents.back().length;
  HF_CHECK(parent_->turn_to(begin, end - begin));
  const Unchanged candidates = unchanged(extents);

  std::vector<std::uint64_t> different;
  for (const std::uint64_t cluster : candidates.zero) {
    HF_TRY(const image::Sum before, parent_->sum_of(cluster, length_at(cluster)));
    if (before != image::kZeroContent) different.push_back(cluster);
  }

  std::vector<source::Range> ranges;
  for (const std::uint64_t cluster : choose(candidates.data)) ranges.push_back({cluster, length_at(cluster)});
  ClusterFeed feed(unit_, capacity_, [&](std::uint64_t offset, ByteView clusters) -> Result<> {
    for (std::uint64_t at = 0; at < clusters.size(); at += unit_) {
      const ByteView cluster = clusters.subspan(at, std::min<std::size_t>(unit_, clusters.size() - at));
      HF_TRY(const image::Sum before, parent_->sum_of(offset + at, cluster.size()));
      if (image::content_sum(cluster) != before) different.push_back(offset + at);
    }
    found.bytes_read += clusters.size();
    return {};
  });
  HF_CHECK(reader.read(
      ranges, [&](std::uint64_t offset, ByteView data) { return feed.take(offset, data); }, cancel));

  for (const std::uint64_t cluster : different) {
    HF_TRY(const auto again, reader.extents(cluster, length_at(cluster)));
    found.lie |= std::ranges::none_of(again, &source::Extent::changed);
  }
  return found;
}

}  // namespace holdfast::capture
