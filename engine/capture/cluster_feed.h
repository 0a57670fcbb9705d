#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"

namespace holdfast::capture {

// Hands on whole clusters. A reader's pieces end at 256 KiB, so larger clusters are assembled here. Used by
// one thread at a time.
class ClusterFeed {
 public:
  using Sink = std::function<Result<>(std::uint64_t offset, ByteView clusters)>;

  ClusterFeed(std::uint64_t cluster_size, std::uint64_t capacity, Sink sink)
      : unit_(cluster_size), capacity_(capacity), sink_(std::move(sink)) {}

  Result<> take(std::uint64_t offset, ByteView data) {
    const bool whole = offset % unit_ == 0 && (data.size() % unit_ == 0 || offset + data.size() == capacity_);
    if (whole) return sink_(offset, data);

    const std::uint64_t cluster = round_down(offset, unit_);
    Partial& partial = partials_[cluster];
    if (partial.bytes.empty()) partial.bytes.resize(std::min(unit_, capacity_ - cluster));
    std::memcpy(partial.bytes.data() + (offset - cluster), data.data(), data.size());
    partial.filled += data.size();
    if (partial.filled < partial.bytes.size()) return {};
    const auto complete = partials_.extract(cluster);
    return sink_(cluster, complete.mapped().bytes);
  }

 private:
  struct Partial {
    Bytes bytes;
    std::size_t filled = 0;
  };

  const std::uint64_t unit_;
  const std::uint64_t capacity_;
  const Sink sink_;
  std::map<std::uint64_t, Partial> partials_;  // at most one for each piece that the reader has in flight
};

}  // namespace holdfast::capture
