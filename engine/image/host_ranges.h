// Stretches of an image's file, and what is done with those that nobody needs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// Whole host clusters.
struct HostRange {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;

  bool operator==(const HostRange&) const = default;
};

// One of the stacks that a layer is in.
struct LayerUse {
  std::shared_ptr<const Stack> stack;
  std::size_t layer = 0;  // 0 is the stack's newest
};

// The layer's data that none of these stacks shows, in the file's order, neighbours joined; what is not the
// layer's data (tables, free clusters) is never among it. A cluster that several compressed ones share is
// hidden when all of them are. Of a chain, the oldest kept point that has the layer sees all that any newer
// one can. EINVAL without a stack.
Result<std::vector<HostRange>> hidden_data(std::span<const LayerUse> uses);

// Gives them back to the file system, durably. May be done again, whether it was interrupted or not.
Result<> punch(File& image, std::span<const HostRange> hidden);

// As verify_layer, for an image that was punched: a cluster in one of these ranges may also be all zeros.
Result<> verify_punched_layer(const File& image, const File& sums, std::span<const HostRange> hidden,
                              const Watch& watch = {});

}  // namespace holdfast::image
