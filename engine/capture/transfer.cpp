#include "engine/capture/transfer.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "engine/capture/cluster_plan.h"

namespace holdfast::capture {
namespace {

// Hands whole clusters to the writer. A reader's pieces end at 256 KiB; larger clusters are put together
// here.
class ClusterFeed {
 public:
  ClusterFeed(image::Writer& writer, const TransferPlan& plan) : writer_(writer), plan_(plan) {}

  Result<> take(std::uint64_t offset, ByteView data) {
    const std::uint64_t unit = plan_.cluster_size;
    const bool whole =
        offset % unit == 0 && (data.size() % unit == 0 || offset + data.size() == plan_.capacity);
    if (whole) return writer_.write(offset, data);

    const std::uint64_t cluster = round_down(offset, unit);
    Partial& partial = partials_[cluster];
    if (partial.bytes.empty()) partial.bytes.resize(std::min(unit, plan_.capacity - cluster));
    std::memcpy(partial.bytes.data() + (offset - cluster), data.data(), data.size());
    partial.filled += data.size();
    if (partial.filled < partial.bytes.size()) return {};
    const auto complete = partials_.extract(cluster);
    return writer_.write(cluster, complete.mapped().bytes);
  }

 private:
  struct Partial {
    Bytes bytes;
    std::size_t filled = 0;
  };

  image::Writer& writer_;
  const TransferPlan& plan_;
  std::map<std::uint64_t, Partial> partials_;  // as many as a reader has pieces in flight, at most
};

Result<ClusterPlan> plan_segment(source::DiskReader& reader, const TransferPlan& plan,
                                 std::uint64_t segment) {
  const std::uint64_t length = std::min(image::Writer::kSegment, plan.capacity - segment);
  HF_TRY(const auto extents, reader.extents(segment, length));
  return plan_clusters(extents, plan.cluster_size, plan.capacity, plan.incremental);
}

}  // namespace

Result<std::uint64_t> bytes_to_read(source::DiskReader& reader, const TransferPlan& plan) {
  std::uint64_t total = 0;
  for (std::uint64_t segment = 0; segment < plan.capacity; segment += image::Writer::kSegment) {
    HF_TRY(const ClusterPlan clusters, plan_segment(reader, plan, segment));
    for (const source::Range& range : clusters.read) total += range.length;
  }
  return total;
}

Result<std::uint64_t> transfer(source::DiskReader& reader, image::Writer& writer, const TransferPlan& plan,
                               ProgressMeter& progress, const source::Cancel& cancel) {
  std::uint64_t bytes_read = 0;
  ClusterFeed feed(writer, plan);
  const auto sink = [&](std::uint64_t offset, ByteView data) -> Result<> {
    HF_CHECK(feed.take(offset, data));
    bytes_read += data.size();
    progress.advance(data.size());
    return {};
  };
  for (std::uint64_t segment = 0; segment < plan.capacity; segment += image::Writer::kSegment) {
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    HF_TRY(const ClusterPlan clusters, plan_segment(reader, plan, segment));
    if (clusters.read.empty() && clusters.zero.empty()) continue;
    for (const source::Range& range : clusters.zero) HF_CHECK(writer.zero(range.offset, range.length));
    HF_CHECK(reader.read(clusters.read, sink, cancel));
    HF_CHECK(writer.finish_segment(segment));
  }
  return bytes_read;
}

}  // namespace holdfast::capture
