#include "engine/image/stack.h"

#include <algorithm>

namespace holdfast::image {
namespace {

using Kind = SegmentMap::Kind;

constexpr std::size_t kMostLayers = UINT16_MAX;  // the range of SegmentMap::Run::layer

constexpr std::uint64_t kUnpackedAtOnce = 256 * kKiB;

ReadExtent::Kind extent_kind(Kind kind) {
  switch (kind) {
    case Kind::hole: return ReadExtent::Kind::hole;
    case Kind::zero: return ReadExtent::Kind::zero;
    case Kind::plain:
    case Kind::compressed: return ReadExtent::Kind::data;
  }
  return ReadExtent::Kind::hole;
}

}  // namespace

Result<std::shared_ptr<Stack>> Stack::open(std::vector<LayerFiles> files, Below below) {
  if (files.empty() || files.size() > kMostLayers)
    return fail(EINVAL, "a disk has 1 to {} layers, not {}", kMostLayers, files.size());
  const std::shared_ptr<Stack> stack(new Stack);
  auto& layers = stack->layers_;
  for (LayerFiles& each : files) {
    HF_TRY(auto layer,
           Layer::open(std::move(each), static_cast<std::uint32_t>(layers.size()), stack->memory_));
    layers.push_back(std::move(layer));
  }
  for (const auto& layer : layers) {
    const std::string& backing = layer->header().backing_file;
    const bool rests_on_more = layer != layers.back() || below == Below::more;
    if (rests_on_more && backing.empty())
      return fail_damaged(EINVAL, "{} has no backing file, but a layer below it is expected", layer->name());
    if (!rests_on_more && !backing.empty())
      return fail_damaged(EINVAL, "{} has the backing file '{}', but no layer below it was given",
                          layer->name(), backing);
  }
  return stack;
}

Result<> Stack::read(std::uint64_t offset, ByteSpan into) const {
  if (into.size() > size() || offset > size() - into.size())
    return fail(EINVAL, "{} bytes at {} do not lie on a disk of {} bytes", into.size(), offset, size());
  bool told = false;
  for (std::size_t done = 0; done < into.size();) {
    const std::uint64_t at = offset + done;
    const auto in_segment = static_cast<std::uint32_t>(at % kSegment);
    const std::size_t length = std::min<std::uint64_t>(kSegment - in_segment, into.size() - done);
    HF_TRY(const auto map, segment(at));
    if (!told && map->has_compressed(in_segment, length)) {
      read_ahead(offset, into.size());
      told = true;
    }
    HF_CHECK(read_in_segment(*map, at - in_segment, in_segment, into.subspan(done, length)));
    done += length;
  }
  return {};
}

Result<> Stack::read_in_segment(const SegmentMap& map, std::uint64_t segment_start, std::uint32_t from,
                                ByteSpan into) const {
  for (std::size_t i = map.find(from); !into.empty(); ++i) {
    const std::size_t length = std::min<std::size_t>(map.end_of(i) - from, into.size());
    HF_CHECK(read_run(map.runs()[i], segment_start, from, into.first(length)));
    from += static_cast<std::uint32_t>(length);
    into = into.subspan(length);
  }
  return {};
}

void Stack::read_ahead(std::uint64_t offset, std::uint64_t length) const {
  const auto stretch = sequential_reads_.note(offset, length);
  if (!stretch) return;
  const std::uint64_t end = std::min(stretch->offset + stretch->length, size());
  for (std::uint64_t at = stretch->offset; at < end; at += kUnpackedAtOnce) {
    const auto task = [weak = weak_from_this(), at, end] {
      if (const auto stack = weak.lock()) stack->unpack(at, std::min(at + kUnpackedAtOnce, end));
    };
    if (!run_ahead(task)) return;
  }
}

void Stack::unpack(std::uint64_t offset, std::uint64_t end) const {
  const auto map = segment(offset);
  if (!map) return;  // the read itself will return the error
  const std::uint64_t start = round_down(offset, kSegment);
  const auto& runs = (*map)->runs();
  for (std::size_t i = (*map)->find(static_cast<std::uint32_t>(offset - start)); i < runs.size(); ++i) {
    const std::uint64_t at = start + runs[i].start;
    if (at >= end) return;
    const Layer& layer = *layers_[runs[i].layer];
    if (runs[i].kind == Kind::compressed && !sequential_reads_.is_passed(at))
      layer.unpack(round_down(at, layer.geometry().cluster()), runs[i].where);
  }
}

// `from` and all of `into` lie within the run.
Result<> Stack::read_run(const SegmentMap::Run& run, std::uint64_t segment_start, std::uint32_t from,
                         ByteSpan into) const {
  const Layer& layer = *layers_[run.layer];
  switch (run.kind) {
    case Kind::hole:
    case Kind::zero: std::ranges::fill(into, std::byte{0}); return {};
    case Kind::plain: return layer.read_stored(run.where + (from - run.start), into);
    case Kind::compressed: {
      const std::uint64_t offset = segment_start + from;
      const std::uint64_t cluster = round_down(offset, layer.geometry().cluster());
      return layer.read_compressed(cluster, run.where, offset - cluster, into);
    }
  }
  return {};
}

Result<ReadExtent> Stack::extent(std::uint64_t offset, std::uint64_t at_most) const {
  if (offset >= size())
    return fail(EINVAL, "offset {} is beyond the end of a disk of {} bytes", offset, size());
  const std::uint64_t end = offset + std::min(at_most, size() - offset);
  ReadExtent extent{ReadExtent::Kind::hole, offset, 0, 0};
  HF_TRY(std::uint64_t at, next_table(layers_, offset, end));
  extent.length = at - offset;
  while (at < end) {
    HF_TRY(const auto map, segment(at));
    const std::uint64_t start = round_down(at, kSegment);
    for (std::size_t i = map->find(static_cast<std::uint32_t>(at - start));
         i < map->runs().size() && at < end; ++i) {
      const SegmentMap::Run& run = map->runs()[i];
      const ReadExtent::Kind kind = extent_kind(run.kind);
      if (extent.length == 0) {
        extent.kind = kind;
        extent.layer = run.layer;
      } else if (kind != extent.kind || (kind != ReadExtent::Kind::hole && run.layer != extent.layer)) {
        return extent;
      }
      at = std::min(start + map->end_of(i), end);
      extent.length = at - offset;
    }
    if (extent.kind != ReadExtent::Kind::hole) continue;
    HF_TRY(at, next_table(layers_, at, end));
    extent.length = at - offset;
  }
  return extent;
}

Result<std::shared_ptr<const SegmentMap>> Stack::segment(std::uint64_t offset) const {
  const std::uint64_t number = offset / kSegment;
  const std::uint64_t start = number * kSegment;
  return maps_.get(number,
                   [&] { return SegmentMap::resolve(layers_, start, std::min(start + kSegment, size())); });
}

}  // namespace holdfast::image
