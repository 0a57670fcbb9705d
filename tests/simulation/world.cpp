#include "tests/simulation/world.h"

namespace holdfast::simulation {
namespace {

World* current = nullptr;

}  // namespace

World& world() { return *current; }
void set_world(World& world) { current = &world; }

void fill(ByteSpan block, std::uint32_t write) {
  std::ranges::fill(block, std::byte{0});
  if (write == 0) return;
  Dice dice{write};
  // Most of each block is easy to compress.
  for (std::size_t at = 0; at + 8 <= block.size() / 8; at += 8) {
    const std::uint64_t value = dice.next();
    std::memcpy(block.data() + at, &value, 8);
  }
  std::memcpy(block.data() + block.size() - sizeof write, &write, sizeof write);
}

std::uint32_t write_in(ByteView block) {
  std::uint32_t write = 0;
  std::memcpy(&write, block.data() + block.size() - sizeof write, sizeof write);
  return write;
}

void write_block(SourceDisk& disk, unsigned block, bool zeros) {
  disk.content.writes[block] = zeros ? 0 : ++world().writes;
  for (Bitmap& bitmap : disk.bitmaps)
    if (bitmap.records) bitmap.dirty |= 1ULL << block;
}

void guest_writes(SourceMachine& machine) {
  Dice& dice = world().order.story;
  for (unsigned i = 0; i < machine.count; ++i) {
    SourceDisk& disk = machine.disks[i];
    for (std::uint64_t count = dice.below(5); count > 0; --count)
      write_block(disk, static_cast<unsigned>(dice.below(disk.content.blocks)), dice.one_in(4));
  }
}

// QEMU's bitmaps do not see what a smaller disk loses.
void resize(SourceDisk& disk, unsigned blocks) {
  for (unsigned block = blocks; block < kMostBlocks; ++block) disk.content.writes[block] = 0;
  disk.content.blocks = blocks;
}

}  // namespace holdfast::simulation
