#include "engine/sources/nbd/extents.h"

#include <libnbd.h>

#include <algorithm>
#include <tuple>

namespace holdfast::source::nbd {
namespace {

constexpr std::uint32_t kDirty = 1;  // a flag of qemu:dirty-bitmap

// Walks along one context's answer.
class Cursor {
 public:
  explicit Cursor(const Status* status) : status_(status) {}

  std::uint32_t flags(std::uint32_t when_unknown) const {
    return status_ == nullptr ? when_unknown : (*status_)[at_ + 1];
  }
  std::uint64_t left(std::uint64_t when_unknown) const {
    return status_ == nullptr ? when_unknown : (*status_)[at_] - used_;
  }
  bool ended() const { return status_ != nullptr && at_ == status_->size(); }
  void advance(std::uint64_t length) {
    if (status_ == nullptr) return;
    used_ += length;
    if (used_ == (*status_)[at_]) {
      at_ += 2;
      used_ = 0;
    }
  }

 private:
  const Status* status_;
  std::size_t at_ = 0;
  std::uint64_t used_ = 0;  // bytes used of the extent at at_
};

Result<> check(const Status* status, const char* context, std::uint64_t offset) {
  if (status == nullptr) return {};
  if (status->empty() || status->size() % 2 != 0)
    return fail(EPROTO, "the NBD server's answer for {} at {} has {} numbers, where pairs were expected",
                context, offset, status->size());
  for (std::size_t i = 0; i < status->size(); i += 2)
    if ((*status)[i] == 0)
      return fail(EPROTO, "the NBD server's answer for {} at {} has an extent without bytes", context,
                  offset);
  return {};
}

}  // namespace

Result<std::vector<Extent>> combine(std::uint64_t offset, std::uint64_t length, const Status* allocation,
                                    const Status* changes) {
  HF_CHECK(check(allocation, "base:allocation", offset));
  HF_CHECK(check(changes, "the bitmap", offset));
  std::vector<Extent> extents;
  Cursor allocated(allocation), changed(changes);
  while (length > 0 && !allocated.ended() && !changed.ended()) {
    const std::uint64_t step = std::min({length, allocated.left(length), changed.left(length)});
    const Extent extent{.offset = offset,
                        .length = step,
                        .zero = (allocated.flags(0) & LIBNBD_STATE_ZERO) != 0,
                        .changed = (changed.flags(kDirty) & kDirty) != 0};
    append(extents, {&extent, 1});
    allocated.advance(step);
    changed.advance(step);
    offset += step;
    length -= step;
  }
  return extents;
}

void Grains::add(const Extent& extent) {
  constexpr std::uint64_t kGrain = 4 * kKiB;
  const std::uint64_t extent_end = extent.offset + extent.length;
  for (std::uint64_t at = extent.offset; at < extent_end;) {
    const std::uint64_t grain_end = std::min(round_down(at, kGrain) + kGrain, end_);
    if (open_.length == 0 && extent_end >= grain_end) {  // all whole grains at once
      const std::uint64_t stop = extent_end == end_ ? end_ : round_down(extent_end, kGrain);
      const Extent grains{.offset = at, .length = stop - at, .zero = extent.zero, .changed = extent.changed};
      append(extents_, {&grains, 1});
      at = stop;
      continue;
    }
    if (open_.length == 0) open_ = {.offset = at, .length = 0, .zero = true, .changed = false};
    const std::uint64_t stop = std::min(extent_end, grain_end);
    open_.length += stop - at;
    open_.zero &= extent.zero;
    open_.changed |= extent.changed;
    at = stop;
    if (at < grain_end) continue;
    append(extents_, {&open_, 1});
    open_.length = 0;
  }
}

void append(std::vector<Extent>& extents, std::span<const Extent> more) {
  for (const Extent& extent : more) {
    const auto kind = [](const Extent& of) { return std::tuple{of.zero, of.changed}; };
    if (!extents.empty() && kind(extents.back()) == kind(extent))
      extents.back().length += extent.length;
    else
      extents.push_back(extent);
  }
}

}  // namespace holdfast::source::nbd
