#include "engine/image/cluster_store.h"

#include <algorithm>

namespace holdfast::image {
namespace {

// A compressed cluster must be a sixteenth smaller; less isn't worth decompressing at each read.
constexpr std::size_t longest_slot(std::size_t cluster) { return cluster - cluster / 16; }

}  // namespace

ClusterStore::ClusterStore(HostFile& host, Geometry geometry, const WriterOptions& options)
    : host_(host),
      geometry_(geometry),
      options_(options),
      tables_(geometry, options.virtual_size),
      packer_(host, geometry) {}

Result<std::unique_ptr<ClusterStore::Lane>> ClusterStore::make_lane(std::size_t piece_bytes) const {
  HF_TRY(auto compressor, Compressor::make(options_.codec, options_.level));
  return std::make_unique<Lane>(std::move(compressor), piece_bytes);
}

std::uint64_t ClusterStore::disk_bytes(std::uint64_t offset) const {
  return std::min(geometry_.cluster(), options_.virtual_size - offset);
}

Result<> ClusterStore::store(std::uint64_t offset, ByteView clusters, Lane& lane) {
  compress(clusters, lane);
  {
    const MutexLock lock(mutex_);
    HF_CHECK(place(offset, clusters, lane));
  }
  for (const Lane::PlainRun& run : lane.plain_runs_)
    HF_CHECK(host_.write(run.host, run.clusters, HostFile::Fill::dense));
  return write_runs(lane.packed_runs_);
}

Result<> ClusterStore::write_runs(std::vector<Packer::Run>& full) {
  for (Packer::Run& run : full) {
    HF_CHECK(host_.write(run.offset, run.bytes, HostFile::Fill::dense));
    const MutexLock lock(mutex_);
    packer_.recycle(std::move(run.bytes));
  }
  return {};
}

void ClusterStore::compress(ByteView clusters, Lane& lane) const {
  const std::size_t cluster = geometry_.cluster();
  lane.shapes_.clear();
  std::size_t used = 0;
  for (std::size_t at = 0; at < clusters.size(); at += cluster) {
    const ByteView one = clusters.subspan(at, cluster);
    Lane::Shape shape;
    if (!is_zero(one)) {
      shape.length =
          lane.compressor_->compress(one, ByteSpan{lane.compressed_}.subspan(used, longest_slot(cluster)));
      shape.kind = shape.length == 0 ? Lane::Shape::plain : Lane::Shape::slot;
      used += shape.length;
    }
    lane.shapes_.push_back(shape);
  }
}

Result<> ClusterStore::place(std::uint64_t offset, ByteView clusters, Lane& lane) {
  const std::size_t cluster = geometry_.cluster();
  lane.plain_runs_.clear();
  lane.packed_runs_.clear();
  ByteView slots = lane.compressed_;
  for (std::size_t i = 0; i < lane.shapes_.size();) {
    const Lane::Shape& shape = lane.shapes_[i];
    const std::uint64_t disk_offset = offset + i * cluster;
    std::size_t count = 1;
    switch (shape.kind) {
      case Lane::Shape::zero: HF_CHECK(place_zero(disk_offset)); break;
      case Lane::Shape::slot:
        HF_CHECK(place_slot(disk_offset, slots.first(shape.length), std::nullopt, lane.packed_runs_));
        slots = slots.subspan(shape.length);
        break;
      case Lane::Shape::plain: {
        while (i + count < lane.shapes_.size() && lane.shapes_[i + count].kind == Lane::Shape::plain) ++count;
        HF_TRY(const std::uint64_t host, place_plain(disk_offset, count));
        lane.plain_runs_.push_back({host, clusters.subspan(i * cluster, count * cluster)});
        break;
      }
    }
    i += count;
  }
  return {};
}

Result<std::uint64_t> ClusterStore::place_plain(std::uint64_t offset, std::size_t count) {
  const std::uint64_t cluster = geometry_.cluster();
  const std::uint64_t host = host_.take(count);
  host_.refer(host, count * cluster);
  for (std::size_t i = 0; i < count; ++i) {
    HF_CHECK(tables_.set((offset >> geometry_.bits) + i, (host + i * cluster) | kCopied));
    data_bytes_ += disk_bytes(offset + i * cluster);
  }
  return host;
}

Result<> ClusterStore::place_slot(std::uint64_t offset, ByteView slot, std::optional<std::uint64_t> in_sector,
                                  std::vector<Packer::Run>& full) {
  const std::uint64_t host = packer_.add(slot, full, in_sector);
  host_.refer(host, slot.size());
  data_bytes_ += disk_bytes(offset);
  return tables_.set(offset >> geometry_.bits, geometry_.slot_entry(host, slot.size()));
}

Result<> ClusterStore::place_zero(std::uint64_t offset) {
  if (options_.backing_file.empty()) return {};  // a hole reads as zeros already
  HF_CHECK(tables_.set(offset >> geometry_.bits, kReadsZero));
  zero_bytes_ += disk_bytes(offset);
  return {};
}

Result<> ClusterStore::zero(std::uint64_t offset, std::uint64_t length) {
  const MutexLock lock(mutex_);
  for (std::uint64_t at = offset; at < offset + length; at += geometry_.cluster()) HF_CHECK(place_zero(at));
  return {};
}

Result<> ClusterStore::store_plain(std::uint64_t offset, ByteView clusters) {
  std::uint64_t host = 0;
  {
    const MutexLock lock(mutex_);
    HF_TRY(host, place_plain(offset, clusters.size() >> geometry_.bits));
  }
  return host_.write(host, clusters, HostFile::Fill::dense);
}

Result<> ClusterStore::store_slot(std::uint64_t offset, ByteView slot, std::uint64_t in_sector) {
  std::vector<Packer::Run> full;
  {
    const MutexLock lock(mutex_);
    HF_CHECK(place_slot(offset, slot, in_sector, full));
  }
  return write_runs(full);
}

Result<> ClusterStore::open(std::uint64_t offset) {
  const MutexLock lock(mutex_);
  return tables_.open(offset, host_);
}

Result<> ClusterStore::finish_below(std::uint64_t end) {
  const MutexLock lock(mutex_);
  packer_.trim();
  if (packer_.lags()) HF_CHECK(close_run());
  HF_CHECK(tables_.finish_below(end, host_));
  return host_.settle(packer_.settled_end());
}

Result<> ClusterStore::finish() {
  const MutexLock lock(mutex_);
  HF_CHECK(close_run());
  return tables_.finish_below(options_.virtual_size, host_);
}

Bytes ClusterStore::l1() const {
  const MutexLock lock(mutex_);
  return tables_.l1();
}

std::uint64_t ClusterStore::data_bytes() const {
  const MutexLock lock(mutex_);
  return data_bytes_;
}

std::uint64_t ClusterStore::zero_bytes() const {
  const MutexLock lock(mutex_);
  return zero_bytes_;
}

Result<> ClusterStore::close_run() {
  const auto run = packer_.close();
  return run ? host_.write(run->offset, run->bytes, HostFile::Fill::sparse) : Result<>{};
}

}  // namespace holdfast::image
