#include "engine/image/difference.h"

#include <algorithm>

#include "engine/image/stack.h"

namespace holdfast::image {
namespace {

using Kind = SegmentMap::Kind;

// The rest of a run of one disk, from some offset on.
struct RestOfRun {
  const Layer* layer = nullptr;
  Kind kind = Kind::hole;
  std::uint64_t where = 0;
  std::uint64_t end = 0;  // on the disk

  bool reads_zero() const { return kind == Kind::hole || kind == Kind::zero; }
};

Result<RestOfRun> run_at(const Stack& stack, std::uint64_t offset) {
  const std::uint64_t start = round_down(offset, Stack::kSegment);
  HF_TRY(const auto map, stack.segment(offset));
  const std::size_t i = map->find(static_cast<std::uint32_t>(offset - start));
  const SegmentMap::Run& run = map->runs()[i];
  const std::uint64_t into_run = offset - start - run.start;
  return RestOfRun{stack.layers()[run.layer].get(), run.kind,
                   run.kind == Kind::plain ? run.where + into_run : run.where, start + map->end_of(i)};
}

bool same_image(const Layer& a, const Layer& b) {
  return &a == &b || (a.header().id && a.header().id == b.header().id);
}

bool same_place(const RestOfRun& a, const RestOfRun& b) {
  if (a.reads_zero() || b.reads_zero()) return false;
  return a.kind == b.kind && a.where == b.where && same_image(*a.layer, *b.layer);
}

class Comparison {
 public:
  Comparison(const Stack& a, const Stack& b, Compare compare) : a_(a), b_(b), compare_(compare) {}

  Result<DifferenceExtent> extent(std::uint64_t offset, std::uint64_t at_most) {
    const std::uint64_t longer = std::max(a_.size(), b_.size());
    const std::uint64_t shorter = std::min(a_.size(), b_.size());
    if (offset >= longer)
      return fail(EINVAL, "offset {} is beyond the end of both disks; the longer one has {} bytes", offset,
                  longer);
    const std::uint64_t end = offset + std::min(at_most, longer - offset);
    DifferenceExtent extent{false, offset, 0};
    for (std::uint64_t at = offset; at < end;) {
      DifferenceExtent next{true, at, end - at};
      if (at < shorter) {
        HF_TRY(next, piece(at, std::min(end, shorter)));
      }
      if (at != offset && next.differs != extent.differs) break;
      extent.differs = next.differs;
      extent.length += next.length;
      at += next.length;
    }
    return extent;
  }

 private:
  // Compares one run from `at` on, or one cluster of it; returns an extent that ends at `end` or before.
  Result<DifferenceExtent> piece(std::uint64_t at, std::uint64_t end) {
    HF_TRY(const RestOfRun run_a, run_at(a_, at));
    HF_TRY(const RestOfRun run_b, run_at(b_, at));
    const std::uint64_t next = std::min({run_a.end, run_b.end, end});
    if (run_a.reads_zero() && run_b.reads_zero()) {
      HF_TRY(const std::uint64_t in_a, next_table(a_.layers(), next, end));
      HF_TRY(const std::uint64_t in_both, next_table(b_.layers(), next, in_a));
      return DifferenceExtent{false, at, in_both - at};
    }
    const std::uint64_t length = next - at;
    if (same_place(run_a, run_b)) return DifferenceExtent{false, at, length};
    if (compare_ == Compare::places) return DifferenceExtent{true, at, length};
    return compared(at, std::min(length, a_.cluster_size() - at % a_.cluster_size()));
  }

  Result<DifferenceExtent> compared(std::uint64_t at, std::uint64_t length) {
    from_a_.resize(length);
    from_b_.resize(length);
    HF_CHECK(a_.read(at, from_a_));
    HF_CHECK(b_.read(at, from_b_));
    return DifferenceExtent{from_a_ != from_b_, at, length};
  }

  const Stack& a_;
  const Stack& b_;
  const Compare compare_;
  Bytes from_a_, from_b_;
};

}  // namespace

Result<DifferenceExtent> difference(const Stack& a, const Stack& b, std::uint64_t offset,
                                    std::uint64_t at_most, Compare compare) {
  return Comparison(a, b, compare).extent(offset, at_most);
}

}  // namespace holdfast::image
