#include "engine/foreign/qcow1.h"

#include <algorithm>

#include "catalog/base/bytes.h"

namespace holdfast::foreign {
namespace {

constexpr std::size_t kHeader = 48;
constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kCompressed = std::uint64_t{1} << 63;

// The limits of QEMU.
constexpr std::uint32_t kLeastClusterBits = 9, kMostClusterBits = 16;
constexpr std::uint32_t kLeastTableBits = 6, kMostTableBits = 13;

// The limits of libqcow (20201213). It returns wrong bytes, without an error, from images whose L2 tables are
// larger than their clusters. It refuses images whose L1 entries span more than 128 MiB. The L1 table's
// length bounds its memory: 32 MiB are 8 TiB of disk with clusters of 4 KiB.
constexpr std::uint64_t kMostL1Bytes = 32 * kMiB;
constexpr std::uint32_t kMostSpanBits = 27;

namespace at {
constexpr std::size_t size = 24, cluster_bits = 32, table_bits = 33, l1_offset = 40;
}

}  // namespace

Result<std::unique_ptr<Qcow1Tables>> Qcow1Tables::open(std::unique_ptr<File> image) {
  std::unique_ptr<Qcow1Tables> tables(new Qcow1Tables(std::move(image)));
  HF_CHECK(tables->read_header());
  HF_CHECK(tables->check_tables());
  return tables;
}

Result<> Qcow1Tables::read_header() {
  HF_TRY(file_size_, image_->size());
  Bytes header(kHeader);
  HF_TRY(const std::size_t got, image_->read_at(0, header));
  if (got != header.size()) return fail(EINVAL, "{} ends inside its header", image_->name());
  size_ = load_be<std::uint64_t>(header.data() + at::size);
  cluster_bits_ = std::to_integer<std::uint32_t>(header[at::cluster_bits]);
  table_bits_ = std::to_integer<std::uint32_t>(header[at::table_bits]);
  if (cluster_bits_ < kLeastClusterBits || cluster_bits_ > kMostClusterBits)
    return fail(EINVAL, "{} has clusters of 2^{} bytes; version 1 has 2^{} to 2^{}", image_->name(),
                cluster_bits_, kLeastClusterBits, kMostClusterBits);
  if (table_bits_ < kLeastTableBits || table_bits_ > kMostTableBits)
    return fail(EINVAL, "{} has L2 tables of 2^{} entries; version 1 has 2^{} to 2^{}", image_->name(),
                table_bits_, kLeastTableBits, kMostTableBits);
  if (8 * table_entries() > cluster_size() || cluster_bits_ + table_bits_ > kMostSpanBits)
    return fail(ENOTSUP,
                "{} has L2 tables of {} bytes with clusters of {}, which libqcow does not read correctly",
                image_->name(), 8 * table_entries(), cluster_size());
  if (size_ == 0 || size_ % kSector != 0)
    return fail(EINVAL, "{} has a disk of {} bytes; it must be a multiple of 512", image_->name(), size_);
  const std::uint64_t entries = divide_up(size_, table_span());
  if (entries > kMostL1Bytes / 8)
    return fail(ENOTSUP, "{} has a disk of {} bytes, more than is supported with clusters of {}",
                image_->name(), size_, cluster_size());
  const auto l1_offset = load_be<std::uint64_t>(header.data() + at::l1_offset);
  if (l1_offset < kHeader)
    return fail(EINVAL, "{} has its L1 table at {}, within its header", image_->name(), l1_offset);
  HF_TRY(l1_, read_table(l1_offset, entries));
  return {};
}

Result<std::vector<std::uint64_t>> Qcow1Tables::read_table(std::uint64_t offset,
                                                           std::uint64_t entries) const {
  const std::uint64_t bytes = entries * 8;
  if (bytes > file_size_ || offset > file_size_ - bytes)
    return fail(EINVAL, "{} has a table of {} bytes at {}, outside of the file's {}", image_->name(), bytes,
                offset, file_size_);
  std::vector<std::uint64_t> table(entries);
  HF_TRY(const std::size_t got, image_->read_at(offset, std::as_writable_bytes(std::span{table})));
  if (got != bytes) return fail(EINVAL, "{} became shorter while it was read", image_->name());
  for (std::uint64_t& entry : table) entry = swap_if_little(entry);
  return table;
}

Result<> Qcow1Tables::load_table(std::uint64_t number) {
  if (loaded_ == number) return {};
  HF_TRY(table_, read_table(l1_[number], table_entries()));
  loaded_ = number;
  return {};
}

Result<> Qcow1Tables::check_entry(std::uint64_t entry, std::uint64_t cluster) const {
  const std::uint64_t start = cluster << cluster_bits_;
  std::uint64_t offset = entry, length = std::min(cluster_size(), size_ - start);
  if (entry & kCompressed) {
    const std::uint32_t shift = 63 - cluster_bits_;
    offset = entry & ((std::uint64_t{1} << shift) - 1);
    length = (entry & ~kCompressed) >> shift;
  } else if (offset % cluster_size() != 0) {
    return fail(EINVAL, "{} has the cluster of disk offset {} at {}; it must begin at a cluster",
                image_->name(), start, offset);
  }
  if (length == 0 || length > file_size_ || offset > file_size_ - length || offset < kHeader)
    return fail(EINVAL, "{} has the cluster of disk offset {} at {}, {} bytes long, outside of the file's {}",
                image_->name(), start, offset, length, file_size_);
  return {};
}

Result<> Qcow1Tables::check_tables() {
  const std::uint64_t clusters = divide_up(size_, cluster_size());
  for (std::uint64_t number = 0; number < l1_.size(); ++number) {
    if (l1_[number] == 0) continue;
    HF_CHECK(load_table(number));
    const std::uint64_t first = number * table_entries();
    const std::uint64_t end = std::min(first + table_entries(), clusters);
    for (std::uint64_t cluster = first; cluster < end; ++cluster)
      if (const std::uint64_t entry = table_[cluster - first]; entry != 0)
        HF_CHECK(check_entry(entry, cluster));
  }
  return {};
}

Result<Qcow1Tables::Run> Qcow1Tables::run(std::uint64_t offset, std::uint64_t at_most) {
  Run run;
  for (std::uint64_t at = offset; run.length < at_most;) {
    const std::uint64_t number = at / table_span();
    const bool present = l1_[number] != 0;
    if (present) HF_CHECK(load_table(number));
    const bool stored = present && table_[at % table_span() >> cluster_bits_] != 0;
    if (run.length == 0) run.stored = stored;
    if (stored != run.stored) break;
    at = present ? round_down(at, cluster_size()) + cluster_size()
                 : round_down(at, table_span()) + table_span();
    run.length = std::min(at - offset, at_most);
  }
  return run;
}

}  // namespace holdfast::foreign
