#include "engine/image/host_file.h"

#include <algorithm>

namespace holdfast::image {
namespace {

constexpr std::uint64_t kPage = 4096;

Result<> write_without_zero_pages(File& file, std::uint64_t offset, ByteView bytes) {
  std::size_t from = 0;  // the first byte that is not written yet
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t length = std::min<std::uint64_t>(kPage - (offset + at) % kPage, bytes.size() - at);
    if (is_zero(bytes.subspan(at, length))) {
      if (at > from) HF_CHECK(file.write_at(offset + from, bytes.subspan(from, at - from)));
      from = at + length;
    }
    at += length;
  }
  if (at > from) HF_CHECK(file.write_at(offset + from, bytes.subspan(from)));
  return {};
}

}  // namespace

HostFile::HostFile(File& image, File* sums, Geometry geometry)
    : image_(image), sums_file_(sums), geometry_(geometry) {
  if (sums != nullptr) sums_.emplace(*sums);
  refer(0, geometry_.cluster());
}

std::uint64_t HostFile::take(std::uint64_t clusters) {
  const MutexLock lock(mutex_);
  return std::exchange(clusters_, clusters_ + clusters) * geometry_.cluster();
}

void HostFile::refer(std::uint64_t offset, std::uint64_t length) {
  const MutexLock lock(mutex_);
  const std::uint64_t first = (offset >> geometry_.bits) - counts_base_;
  const std::uint64_t last = ((offset + length - 1) >> geometry_.bits) - counts_base_;
  if (last >= counts_.size()) counts_.resize(last + 1);
  // The count can't overflow: slots of both codecs are long enough that far fewer than 65,535 touch one
  // cluster.
  for (std::uint64_t i = first; i <= last; ++i) ++counts_[i];
}

std::uint64_t HostFile::end() const {
  const MutexLock lock(mutex_);
  return clusters_ * geometry_.cluster();
}

void HostFile::give_back(std::uint64_t from) {
  const MutexLock lock(mutex_);
  clusters_ = from >> geometry_.bits;
}

Result<> HostFile::write(std::uint64_t offset, ByteView clusters, Fill fill) {
  HF_CHECK(fill == Fill::sparse ? write_without_zero_pages(image_, offset, clusters)
                                : image_.write_at(offset, clusters));
  if (sums_file_ == nullptr) return {};
  const std::uint64_t cluster = geometry_.cluster();
  std::vector<Sum> sums;
  sums.reserve(clusters.size() / cluster);
  for (std::size_t at = 0; at < clusters.size(); at += cluster)
    sums.push_back(sum_of(clusters.subspan(at, cluster)));
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < sums.size(); ++i) sums_->set((offset >> geometry_.bits) + i, sums[i]);
  return {};
}

Result<std::uint64_t> HostFile::append_table(Bytes table) {
  table.resize(round_up<std::uint64_t>(table.size(), geometry_.cluster()));
  const std::uint64_t offset = take(table.size() >> geometry_.bits);
  refer(offset, table.size());
  HF_CHECK(write(offset, table, Fill::sparse));
  return offset;
}

Bytes HostFile::refcount_block(std::uint64_t index) const {
  Bytes block(geometry_.cluster());
  const std::uint64_t first = index * geometry_.counts_per_block();
  const std::uint64_t end = std::min<std::uint64_t>(first + geometry_.counts_per_block(), counts_.size());
  for (std::uint64_t i = first; i < end; ++i) store_be(block.data() + (i - first) * 2, counts_[i]);
  return block;
}

std::optional<Bytes> HostFile::take_refcount_block(std::uint64_t end) {
  const MutexLock lock(mutex_);
  const std::uint64_t per_block = geometry_.counts_per_block();
  if ((counts_base_ + per_block) * geometry_.cluster() > end) return std::nullopt;
  Bytes block = refcount_block(0);
  const std::uint64_t counted = std::min<std::uint64_t>(per_block, counts_.size());
  counts_.erase(counts_.begin(), counts_.begin() + static_cast<std::ptrdiff_t>(counted));
  counts_base_ += per_block;
  return block;
}

Result<> HostFile::settle(std::uint64_t end) {
  while (auto block = take_refcount_block(end)) {
    HF_TRY(const std::uint64_t offset, append_table(*std::move(block)));
    blocks_.push_back(offset);
  }
  const MutexLock lock(mutex_);
  return sums_ ? sums_->settle(end >> geometry_.bits) : Result<>{};
}

Result<HostFile::RefcountTable> HostFile::append_refcounts() {
  const std::uint64_t clusters = end() >> geometry_.bits;
  const RefcountNeed need = refcount_need(geometry_, clusters, {blocks_.size(), 0});
  const std::uint64_t table_clusters = need.table_clusters;
  if (table_clusters * geometry_.cluster() > kMaxRefcountTableBytes)
    return fail(EFBIG, "{} has {} clusters of {} bytes, more than its refcounts can count", image_.name(),
                clusters, geometry_.cluster());

  const std::uint64_t new_blocks = need.blocks - blocks_.size();
  const std::uint64_t offset = take(new_blocks + table_clusters);
  refer(offset, (new_blocks + table_clusters) * geometry_.cluster());
  for (std::uint64_t i = 0; i < new_blocks; ++i) {
    Bytes block;
    {
      const MutexLock lock(mutex_);
      block = refcount_block(i);
    }
    blocks_.push_back(offset + i * geometry_.cluster());
    HF_CHECK(write(blocks_.back(), block, Fill::sparse));
  }
  Bytes table(table_clusters * geometry_.cluster());
  for (std::size_t i = 0; i < blocks_.size(); ++i) store_be(table.data() + i * 8, blocks_[i]);
  const std::uint64_t table_offset = offset + new_blocks * geometry_.cluster();
  HF_CHECK(write(table_offset, table, Fill::sparse));
  HF_CHECK(image_.truncate(end()));
  return RefcountTable{table_offset, static_cast<std::uint32_t>(table_clusters)};
}

Result<WriterSummary> HostFile::commit(ByteView header, const ImageId& id) {
  WriterSummary summary;
  if (sums_file_ != nullptr) {
    const MutexLock lock(mutex_);
    HF_CHECK(sums_->settle(clusters_));
    const SumsHeader sums_header{geometry_, id, clusters_};
    HF_TRY(summary.sums_sha256, sums_->finish(sums_header, sum_of(header)));
    HF_TRY(summary.stored_bytes, sums_file_->allocated());
  }
  HF_CHECK(write_without_zero_pages(image_, 0, header));
  HF_CHECK(image_.sync_data());
  summary.file_bytes = end();
  HF_TRY(const std::uint64_t image_stored, image_.allocated());
  summary.stored_bytes += image_stored;
  return summary;
}

}  // namespace holdfast::image
