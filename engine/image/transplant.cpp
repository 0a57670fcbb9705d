#include "engine/image/transplant.h"

#include <algorithm>
#include <map>
#include <optional>

#include "engine/image/codec.h"

namespace holdfast::image {
namespace {

// A part of the patient's data: one cluster of the disk, as the file stores it.
struct Graft {
  HostRange range;
  std::uint64_t disk_offset = 0;
  bool is_compressed = false;
};

class Surgeon {
 public:
  Surgeon(const File& sums, const std::shared_ptr<const Stack>& patient,
          std::span<const std::shared_ptr<const Stack>> donors, File& image)
      : sums_(sums),
        patient_(patient),
        donors_(donors),
        image_(image),
        cluster_(patient->layers().front()->geometry().cluster()) {}

  Result<Mending> run(const Mending& before, const Watch& watch) {
    HF_CHECK(find_grafts(before.lost));
    Mending after{.healed = before.healed, .lost = {}};
    for (const HostRange& range : before.lost)
      for (std::uint64_t at = range.offset; at < range.offset + range.length; at += cluster_) {
        HF_TRY(const bool healed, heal(at));
        if (healed)
          after.healed += cluster_;
        else
          add_cluster(after.lost, at, cluster_);
        if (watch) HF_CHECK(watch(0));
      }
    HF_CHECK(image_.sync_data());
    return after;
  }

 private:
  // Collects, by host cluster, the grafts in the lost clusters.
  Result<> find_grafts(const std::vector<HostRange>& lost) {
    for (const HostRange& range : lost)
      for (std::uint64_t at = range.offset; at < range.offset + range.length; at += cluster_) grafts_[at];
    return each_shown({patient_, 0}, [&](const HostRange& range, const DiskRange& disk, bool is_compressed) {
      const std::uint64_t end = range.offset + range.length;
      for (auto its = grafts_.lower_bound(round_down(range.offset, cluster_));
           its != grafts_.end() && its->first < end; ++its) {
        if (is_compressed)
          its->second.push_back({range, disk.offset, true});
        else
          its->second.push_back({{its->first, std::min(cluster_, end - its->first)},
                                 disk.offset + (its->first - range.offset),
                                 false});
      }
    });
  }

  Result<bool> heal(std::uint64_t at) {
    Sum wanted;
    HF_TRY(const std::size_t got,
           sums_.read_at(sum_offset(at / cluster_), std::as_writable_bytes(std::span{&wanted, 1})));
    if (got != sizeof wanted) return fail_damaged(EIO, "{} is truncated", sums_.name());
    HF_TRY(Bytes own, own_grafts(at));
    if (sum_of(own) == wanted) return put(at, own);  // only bytes between the grafts were damaged
    const auto& grafts = grafts_.at(at);
    for (const auto& donor : donors_) {
      Bytes all = own;
      for (const Graft& graft : grafts) {
        const auto bytes = graft_of(*donor, graft);
        if (!bytes) continue;
        Bytes one = own;
        paste(graft, *bytes, at, one);
        if (sum_of(one) == wanted) return put(at, one);
        paste(graft, *bytes, at, all);
      }
      if (sum_of(all) == wanted) return put(at, all);
    }
    return false;
  }

  // The cluster as it is, but with zeros where no graft lies, as it was written.
  Result<Bytes> own_grafts(std::uint64_t at) {
    Bytes stored(cluster_), own(cluster_);
    HF_CHECK(image_.read_at(at, stored));
    for (const Graft& graft : grafts_.at(at)) {
      const auto [from, length] = overlap(graft, at);
      std::copy_n(stored.begin() + from, length, own.begin() + from);
    }
    return own;
  }

  // The graft's part of the host cluster: from where in the cluster, and how long.
  std::pair<std::ptrdiff_t, std::ptrdiff_t> overlap(const Graft& graft, std::uint64_t at) const {
    const std::uint64_t from = std::max(graft.range.offset, at);
    const std::uint64_t to = std::min(graft.range.offset + graft.range.length, at + cluster_);
    return {static_cast<std::ptrdiff_t>(from - at), static_cast<std::ptrdiff_t>(to - from)};
  }

  void paste(const Graft& graft, const Bytes& bytes, std::uint64_t at, Bytes& into) const {
    const auto [from, length] = overlap(graft, at);
    const auto skipped =
        static_cast<std::ptrdiff_t>(at) + from - static_cast<std::ptrdiff_t>(graft.range.offset);
    const auto there = std::min(length, static_cast<std::ptrdiff_t>(bytes.size()) - skipped);
    if (there > 0) std::copy_n(bytes.begin() + skipped, there, into.begin() + from);
  }

  // Returns what the donor stores for that place of the disk, in the same form.
  static std::optional<Bytes> graft_of(const Stack& donor, const Graft& graft) {
    if (graft.disk_offset >= donor.size()) return std::nullopt;
    const auto map = donor.segment(graft.disk_offset);
    if (!map) return std::nullopt;
    const auto within = static_cast<std::uint32_t>(graft.disk_offset % Stack::kSegment);
    const SegmentMap::Run& run = (*map)->runs()[(*map)->find(within)];
    const Layer& layer = *donor.layers()[run.layer];
    const auto wanted = graft.is_compressed ? SegmentMap::Kind::compressed : SegmentMap::Kind::plain;
    if (run.kind != wanted) return std::nullopt;
    Geometry::Slot slot{run.where + (within - run.start), graft.range.length};
    if (graft.is_compressed) slot = layer.stored_slot(run.where);
    Bytes bytes(slot.length);
    if (!layer.read_stored(slot.offset, bytes)) return std::nullopt;
    if (!graft.is_compressed) return bytes;
    Bytes content(layer.geometry().cluster());
    const auto length = stream_length(layer.header().zstd, bytes, content);
    if (!length) return std::nullopt;
    bytes.resize(*length);  // the next slot may begin in the same sector
    return bytes;
  }

  Result<bool> put(std::uint64_t at, const Bytes& bytes) {
    HF_CHECK(image_.write_at(at, bytes));
    return true;
  }

  const File& sums_;
  const std::shared_ptr<const Stack> patient_;
  const std::span<const std::shared_ptr<const Stack>> donors_;
  File& image_;
  const std::uint64_t cluster_;
  std::map<std::uint64_t, std::vector<Graft>> grafts_;  // by offset of the lost host cluster
};

}  // namespace

Result<Mending> transplant(const File& sums, const std::shared_ptr<const Stack>& patient,
                           std::span<const std::shared_ptr<const Stack>> donors, const Mending& before,
                           File& image, const Watch& watch) {
  return Surgeon(sums, patient, donors, image).run(before, watch);
}

}  // namespace holdfast::image
