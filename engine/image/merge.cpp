#include "engine/image/merge.h"

#include <algorithm>

#include "engine/image/cluster_store.h"
#include "engine/image/host_file.h"
#include "engine/image/new_image.h"
#include "engine/image/stack.h"

namespace holdfast::image {
namespace {

using Kind = SegmentMap::Kind;

constexpr std::uint64_t kAtOnce = 4 * kMiB;  // plain clusters

Result<> check_alike(const Stack& stack) {
  const Layer& newest = *stack.layers().front();
  for (const auto& layer : stack.layers()) {
    if (layer->size() != newest.size() || layer->geometry().bits != newest.geometry().bits ||
        layer->header().zstd != newest.header().zstd)
      return fail(EINVAL, "{} and {} differ in size, cluster size or codec, and can't be merged",
                  newest.name(), layer->name());
  }
  return {};
}

// Copies the runs of a stack into a new image. The layers are alike, so each cluster lies within one run.
class Merger {
 public:
  Merger(const Stack& stack, ClusterStore& store)
      : stack_(stack), store_(store), cluster_(stack.cluster_size()) {}

  Result<> take_all() {
    for (std::uint64_t at = 0; at < stack_.size();) {
      const std::uint64_t start = round_down(at, Stack::kSegment);
      HF_CHECK(take_segment(start));
      HF_TRY(at,
             next_table(stack_.layers(), std::min(start + Stack::kSegment, stack_.size()), stack_.size()));
    }
    return store_.finish();
  }

 private:
  Result<> take_segment(std::uint64_t start) {
    HF_TRY(const auto map, stack_.segment(start));
    HF_CHECK(store_.open(start));
    for (std::size_t i = 0; i < map->runs().size(); ++i)
      HF_CHECK(take_run(map->runs()[i], start + map->runs()[i].start, map->end_of(i) - map->runs()[i].start));
    return store_.finish_below(start + Stack::kSegment);
  }

  Result<> take_run(const SegmentMap::Run& run, std::uint64_t offset, std::uint64_t length) {
    const Layer& layer = *stack_.layers()[run.layer];
    switch (run.kind) {
      case Kind::hole: return {};
      case Kind::zero: return store_.zero(offset, length);
      case Kind::plain: return take_plain(layer, run.where, offset, length);
      case Kind::compressed: {
        const Geometry::Slot slot = layer.stored_slot(run.where);
        buffer_.resize(slot.length);
        HF_CHECK(layer.read_stored(slot.offset, buffer_));
        return store_.store_slot(offset, buffer_, slot.offset % kSector);
      }
    }
    return {};
  }

  Result<> take_plain(const Layer& layer, std::uint64_t where, std::uint64_t offset, std::uint64_t length) {
    for (std::uint64_t done = 0; done < length; done += buffer_.size()) {
      const std::uint64_t wanted = std::min(length - done, kAtOnce);
      buffer_.resize(round_up<std::uint64_t>(wanted, cluster_));
      HF_CHECK(layer.read_stored(where + done, ByteSpan{buffer_}.first(wanted)));
      std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(wanted), buffer_.end(), std::byte{0});
      HF_CHECK(store_.store_plain(offset + done, buffer_));
    }
    return {};
  }

  const Stack& stack_;
  ClusterStore& store_;
  const std::uint64_t cluster_;
  Bytes buffer_;
};

}  // namespace

Result<WriterSummary> merge_layers(std::vector<LayerFiles> layers, File& image, File& sums,
                                   const MergeOptions& options) {
  const bool rests_on_nothing = options.backing_file.empty();
  HF_TRY(const auto stack,
         Stack::open(std::move(layers), rests_on_nothing ? Stack::Below::nothing : Stack::Below::more));
  HF_CHECK(check_alike(*stack));
  Header header = new_header(stack->layers().front()->geometry(), stack->size());
  header.zstd = stack->layers().front()->header().zstd;
  header.backing_file = options.backing_file;
  header.id = options.id;
  HF_CHECK(print_header(header));  // refuses a backing name that doesn't fit, before anything is written

  WriterOptions written;
  written.virtual_size = stack->size();
  written.backing_file = options.backing_file;
  HostFile host(image, &sums, header.geometry);
  ClusterStore store(host, header.geometry, written);
  HF_CHECK(Merger(*stack, store).take_all());
  HF_TRY(WriterSummary summary, complete(host, header, store.l1()));
  summary.data_bytes = store.data_bytes();
  summary.zero_bytes = store.zero_bytes();
  return summary;
}

}  // namespace holdfast::image
