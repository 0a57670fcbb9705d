#include "engine/image/layer.h"

#include <algorithm>

#include "engine/image/codec.h"

namespace holdfast::image {
namespace {

constexpr std::uint64_t kSumsPerChunk = 256;

}  // namespace

Result<std::unique_ptr<Layer>> Layer::open(LayerFiles files, std::uint32_t number, LayerMemory& memory) {
  std::unique_ptr<Layer> layer(new Layer(std::move(files), number, memory));
  HF_CHECK(layer->read_header_and_sums());
  return layer;
}

Result<> Layer::read_header_and_sums() {
  HF_TRY(file_size_, files_.image->size());
  if (!files_.sums) {
    HF_TRY(header_, read_header(*files_.image));
    return {};
  }
  HF_TRY(const SumsHeader sums, SumsHeader::read(*files_.sums));
  HF_CHECK(sums.check_sizes(*files_.image, *files_.sums));
  header_.geometry = sums.geometry;
  HF_TRY(const auto start, checked_cluster(0));
  HF_TRY(header_, parse_header(name(), *start, file_size_));
  if (header_.geometry.bits != sums.geometry.bits || header_.id != sums.id)
    return fail_damaged(EIO, "{} holds the checksums of another image than {}", files_.sums->name(), name());
  return {};
}

Result<> Layer::read_unchecked(std::uint64_t offset, ByteSpan into) const {
  HF_TRY(const std::size_t got, files_.image->read_at(offset, into));
  if (got != into.size())
    return fail_damaged(EIO, "{} ends at {}, but its tables refer to later bytes", name(), offset + got);
  return {};
}

Result<Sum> Layer::recorded_sum(std::uint64_t host_cluster) const {
  const CacheKey key{CacheKey::Kind::sums, number_, host_cluster / kSumsPerChunk};
  const auto read = [&]() -> CachedBytes {
    Bytes bytes(kSumsPerChunk * sizeof(Sum));
    HF_TRY(const std::size_t got, files_.sums->read_at(sum_offset(key.number * kSumsPerChunk), bytes));
    bytes.resize(got);
    return std::make_shared<const Bytes>(std::move(bytes));
  };
  HF_TRY(const auto chunk, memory_.cache.get(key, read));
  const std::size_t at = host_cluster % kSumsPerChunk * sizeof(Sum);
  if (at + sizeof(Sum) > chunk->size())
    return fail_damaged(EIO, "{} ends before the checksum of cluster {}", files_.sums->name(), host_cluster);
  Sum sum;
  std::memcpy(sum.data(), chunk->data() + at, sizeof sum);
  return sum;
}

Result<> Layer::check(std::uint64_t host_cluster, ByteView bytes) const {
  HF_TRY(const Sum recorded, recorded_sum(host_cluster));
  if (sum_of(bytes) != recorded)
    return fail_damaged(EIO, "{}: the {} bytes at {} are not what was written (checksum)", name(),
                        bytes.size(), host_cluster << geometry().bits);
  return {};
}

Layer::CachedBytes Layer::checked_cluster(std::uint64_t host_cluster) const {
  const CacheKey key{CacheKey::Kind::stored_cluster, number_, host_cluster};
  return memory_.cache.get(key, [&]() -> CachedBytes {
    auto bytes = memory_.pool.take(geometry().cluster());
    HF_CHECK(read_unchecked(host_cluster << geometry().bits, *bytes));
    HF_CHECK(check(host_cluster, *bytes));
    return bytes;
  });
}

Result<> Layer::read_stored(std::uint64_t offset, ByteSpan into) const {
  if (!files_.sums) return read_unchecked(offset, into);
  const std::uint64_t cluster = geometry().cluster();
  while (!into.empty()) {
    const std::uint64_t from = offset % cluster;
    std::size_t length = std::min<std::uint64_t>(cluster - from, into.size());
    if (length == cluster) {  // whole clusters are read into the caller's buffer and checked there
      length = round_down(into.size(), cluster);
      HF_CHECK(read_unchecked(offset, into.first(length)));
      for (std::size_t at = 0; at < length; at += cluster)
        HF_CHECK(check((offset + at) >> geometry().bits, into.subspan(at, cluster)));
    } else {
      HF_TRY(const auto bytes, checked_cluster(offset >> geometry().bits));
      copy_bytes(ByteView{*bytes}.subspan(from, length), into);
    }
    offset += length;
    into = into.subspan(length);
  }
  return {};
}

Geometry::Slot Layer::stored_slot(std::uint64_t entry) const {
  const Geometry::Slot slot = geometry().slot(entry);
  return {slot.offset,
          std::min(slot.length, file_size_ - slot.offset)};  // the file may end within the last sector
}

Result<> Layer::decompress_cluster(std::uint64_t cluster_offset, std::uint64_t entry,
                                   ByteSpan cluster) const {
  const Geometry::Slot slot = stored_slot(entry);
  const auto unpack_from = [&](ByteView stored) -> Result<> {
    if (auto outcome = decompress(header_.zstd, stored, cluster); !outcome)
      return within(outcome.error(), "{}: decompressing {} bytes at {}, for the disk's cluster at {}", name(),
                    stored.size(), slot.offset, cluster_offset);
    return {};
  };
  const std::uint64_t from = slot.offset % geometry().cluster();
  if (files_.sums &&
      from + slot.length <= geometry().cluster()) {  // a slot within one cluster needs no gathering
    HF_TRY(const auto bytes, checked_cluster(slot.offset >> geometry().bits));
    return unpack_from(ByteView{*bytes}.subspan(from, slot.length));
  }
  thread_local Bytes stored;
  stored.resize(slot.length);
  HF_CHECK(read_stored(slot.offset, stored));
  return unpack_from(stored);
}

Layer::CachedBytes Layer::unpacked_cluster(std::uint64_t cluster_offset, std::uint64_t entry) const {
  const CacheKey key{CacheKey::Kind::decompressed_cluster, number_, cluster_offset >> geometry().bits};
  return memory_.cache.get(key, [&]() -> CachedBytes {
    auto bytes = memory_.pool.take(geometry().cluster());
    HF_CHECK(decompress_cluster(cluster_offset, entry, *bytes));
    return bytes;
  });
}

void Layer::unpack(std::uint64_t cluster_offset, std::uint64_t entry) const {
  (void)unpacked_cluster(cluster_offset, entry);
}

Result<> Layer::read_compressed(std::uint64_t cluster_offset, std::uint64_t entry, std::uint64_t from,
                                ByteSpan into) const {
  const CacheKey key{CacheKey::Kind::decompressed_cluster, number_, cluster_offset >> geometry().bits};
  auto cluster = memory_.cache.find(key);
  if (!cluster) {
    // A whole cluster is unpacked into the caller's buffer and not cached, because it is not read again soon.
    if (into.size() == geometry().cluster()) return decompress_cluster(cluster_offset, entry, into);
    HF_TRY(cluster, unpacked_cluster(cluster_offset, entry));
  }
  copy_bytes(ByteView{*cluster}.subspan(from, into.size()), into);
  return {};
}

}  // namespace holdfast::image
