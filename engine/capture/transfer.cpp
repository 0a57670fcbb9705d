#include "engine/capture/transfer.h"

#include <algorithm>

#include "engine/capture/cluster_feed.h"
#include "engine/capture/cluster_plan.h"

namespace holdfast::capture {
namespace {

Result<std::vector<source::Extent>> extents_of(source::DiskReader& reader, const TransferPlan& plan,
                                               std::uint64_t segment) {
  const std::uint64_t length = std::min(image::Writer::kSegment, plan.capacity - segment);
  HF_TRY(auto extents, reader.extents(segment, length));
  // A full takes everything, even from a source that tells what has changed.
  if (!plan.incremental)
    for (source::Extent& extent : extents) extent.changed = true;
  return extents;
}

ClusterPlan clusters_of(const std::vector<source::Extent>& extents, const TransferPlan& plan) {
  return plan_clusters(extents, plan.cluster_size, plan.capacity, plan.incremental);
}

}  // namespace

Result<> expect_bytes(source::DiskReader& reader, const TransferPlan& plan, ProgressMeter& progress,
                      const source::Cancel& cancel) {
  for (std::uint64_t segment = 0; segment < plan.capacity; segment += image::Writer::kSegment) {
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    HF_TRY(const auto extents, extents_of(reader, plan, segment));
    for (const source::Range& range : clusters_of(extents, plan).read) progress.expect(range.length);
    progress.move();
  }
  return {};
}

Result<Transferred> transfer(source::DiskReader& reader, image::Writer& writer, const TransferPlan& plan,
                             Sample* sample, ProgressMeter& progress, const source::Cancel& cancel) {
  Transferred done;
  ClusterFeed feed(plan.cluster_size, plan.capacity,
                   [&](std::uint64_t offset, ByteView clusters) { return writer.write(offset, clusters); });
  const auto sink = [&](std::uint64_t offset, ByteView data) -> Result<> {
    HF_CHECK(feed.take(offset, data));
    done.bytes_read += data.size();
    progress.advance(data.size());
    return {};
  };
  const auto note = [&](const Sample::Found& found) {
    progress.expect(found.bytes_read);
    progress.advance(found.bytes_read);
    done.bytes_read += found.bytes_read;
    done.source_lied = found.lie;
  };
  if (sample != nullptr) {
    HF_TRY(const Sample::Found found, sample->look_at_end(reader, image::Writer::kSegment, cancel));
    note(found);
    if (done.source_lied) return done;
  }
  for (std::uint64_t segment = 0; segment < plan.capacity; segment += image::Writer::kSegment) {
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    HF_TRY(const auto extents, extents_of(reader, plan, segment));
    progress.move();
    if (sample != nullptr) {
      HF_TRY(const Sample::Found found, sample->look(reader, extents, cancel));
      note(found);
      if (done.source_lied) return done;
    }
    const ClusterPlan clusters = clusters_of(extents, plan);
    if (clusters.read.empty() && clusters.zero.empty()) continue;
    for (const source::Range& range : clusters.zero) HF_CHECK(writer.zero(range.offset, range.length));
    HF_CHECK(reader.read(clusters.read, sink, cancel));
    HF_CHECK(writer.finish_segment(segment));
  }
  return done;
}

}  // namespace holdfast::capture
