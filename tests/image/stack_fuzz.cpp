#include "tests/image/stack_fuzz.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "engine/image/difference.h"
#include "engine/image/flat_view.h"
#include "engine/image/host_ranges.h"
#include "engine/image/merge.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"
#include "tests/lib/memory_file.h"

namespace holdfast::image {
namespace {

using holdfast::test::MemoryFile;

// Steps whose time grows with the disk are tried on small disks only.
constexpr std::uint64_t kSmallDisk = 256 * kMiB;

// Returns the image below an increment.
const Bytes& base_image() {
  static const Bytes bytes = [] {
    MemoryFile image("base"), sums("base.sums");
    WriterOptions options;
    options.virtual_size = 64 * kKiB;
    options.cluster_size = 512;
    options.compressors = 1;
    const auto writer = Writer::create(image, sums, options);
    const Bytes data(4096, std::byte{1});
    if (!writer || !(*writer)->write(8192, data) || !(*writer)->finish()) std::abort();
    return image.bytes();
  }();
  return bytes;
}

std::vector<LayerFiles> layers_of(ByteView input, bool rests_on_more) {
  std::vector<LayerFiles> layers;
  layers.push_back({std::make_unique<MemoryFile>("input", Bytes(input.begin(), input.end())), nullptr});
  if (rests_on_more) layers.push_back({std::make_unique<MemoryFile>("base", base_image()), nullptr});
  return layers;
}

void read_around(const Stack& stack, std::uint64_t offset) {
  Bytes into(std::min<std::uint64_t>(300'000, stack.size() - offset));
  (void)stack.read(offset, into);
  (void)stack.extent(offset, 64 * kMiB);
}

void try_all(ByteView input) {
  const MemoryFile image("input", Bytes(input.begin(), input.end()));
  const auto facts = inspect(image);
  if (!facts) return;
  const bool rests_on_more = !facts->backing_file.empty();
  const auto stack = Stack::open(layers_of(input, rests_on_more));
  if (!stack || (*stack)->size() == 0) return;
  const std::uint64_t size = (*stack)->size();
  read_around(**stack, 0);
  read_around(**stack, size - 1);
  for (std::uint64_t i = 1; i < 8; ++i) read_around(**stack, size / 8 * i);
  if (size > kSmallDisk) return;

  const LayerUse use{*stack, 0};
  (void)hidden_data(std::span{&use, 1});
  (void)difference(**stack, **stack, 0, size, Compare::contents);
  if (const auto flat_size = FlatView::size_of(**stack)) {
    const FlatView view(*stack, *flat_size);
    Bytes into(std::min<std::uint64_t>(view.size(), 4 * kMiB));
    (void)view.read(0, into);
    (void)view.read(view.size() - into.size(), into);
  }
  MemoryFile merged("merged"), sums("merged.sums");
  (void)merge_layers(layers_of(input, false), merged, sums, {facts->backing_file, ImageId{}});
}

}  // namespace
}  // namespace holdfast::image

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  holdfast::image::try_all(std::as_bytes(std::span{data, size}));
  return 0;
}
