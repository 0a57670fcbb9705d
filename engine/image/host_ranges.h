// Ranges of an image file that no point needs, and giving them back.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// A range of whole host clusters.
struct HostRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  bool operator==(const HostRange&) const = default;
};

// Adds the cluster at this offset, which lies behind all others.
void add_cluster(std::vector<HostRange>& ranges, std::uint64_t offset, std::uint64_t cluster);

// A range of the disk, in bytes.
struct DiskRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};

// A stack that contains the layer, and the layer's number in it.
struct LayerUse {
  std::shared_ptr<const Stack> stack;
  std::size_t layer = 0;  // 0 is the stack's newest layer
};

// Calls `visit` with each run of the layer's data that this use of it shows: with its range of the file, its
// range of the disk, and whether it is one compressed cluster.
using VisitRun = std::function<void(const HostRange& range, const DiskRange& disk, bool is_compressed)>;
Result<> each_shown(const LayerUse& use, const VisitRun& visit);

// Returns the layer's data that none of these stacks shows, in the file's order, with neighbours joined.
// Tables and free clusters are never part of the result. A cluster that several compressed clusters share is
// hidden when all of them are. Within a chain one stack is enough: the oldest kept point above the layer sees
// everything that newer points can see. EINVAL without a stack.
Result<std::vector<HostRange>> hidden_data(std::span<const LayerUse> uses);

// Returns the ranges of the disk that this use of the layer shows from these host clusters, with neighbours
// joined; nullopt if one of the clusters is no data but a table, so that nobody can tell.
Result<std::optional<std::vector<DiskRange>>> shown_from(const LayerUse& use,
                                                         std::span<const HostRange> clusters);

// Gives the ranges back to the file system, durably. Repeating it, also after a crash, is harmless.
// EOPNOTSUPP if the file system can't punch holes; nothing has changed then.
Result<> punch(File& image, std::span<const HostRange> hidden);

// Checks a punched image as verify_layer does; clusters in `hidden` may also be all zeros.
Result<> verify_punched_layer(const File& image, const File& sums, std::span<const HostRange> hidden,
                              const Watch& watch = {});

}  // namespace holdfast::image
