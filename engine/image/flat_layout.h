// The layout of a flat image: the position of each of its parts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "catalog/base/error.h"
#include "engine/image/flat_segment.h"
#include "engine/image/stack.h"

namespace holdfast::image {

// A set of numbers with fast rank (the number of members below one) and selection (the n-th member).
class RankedBits {
 public:
  explicit RankedBits(std::uint64_t size)
      : words_(divide_up<std::uint64_t>(size, 64)), before_(words_.size() + 1) {}

  void add(std::uint64_t number) { words_[number / 64] |= std::uint64_t{1} << number % 64; }
  void count();  // call after the last add(), before the first question
  bool has(std::uint64_t number) const { return words_[number / 64] >> number % 64 & 1; }
  std::uint64_t size() const { return before_.back(); }
  std::uint64_t rank(std::uint64_t number) const;
  std::uint64_t nth(std::uint64_t rank) const;

 private:
  std::vector<std::uint64_t> words_;
  std::vector<std::uint32_t> before_;  // the number of members in the words before each word
};

// The parts of a flat image in their order, counted in host clusters:
//
//   header, L1 table, refcount table, refcount blocks, L2 tables, data segment by segment
struct FlatLayout {
  static Result<FlatLayout> make(const Stack& stack);

  Geometry geometry;
  std::uint64_t l1_entries = 0;
  // The first host cluster of each part, and the one after the last.
  std::uint64_t l1 = 0, refcount_table = 0, refcount_blocks = 0, l2 = 0, data = 0, end = 0;
  RankedBits tables{0};  // the L2 tables that have entries

  // The data of one segment in the file.
  struct Chunk {
    std::uint64_t segment = 0;  // the segment's start on the disk
    std::uint64_t first = 0;    // the first host cluster; `end` is the one after its last
    std::uint64_t end = 0;
  };
  std::vector<Chunk> chunks;

  std::uint64_t offset_of(std::uint64_t host_cluster) const { return host_cluster << geometry.bits; }
  std::uint64_t l2_offset(std::uint64_t table) const { return offset_of(l2 + tables.rank(table)); }
  // Return the chunks with a host cluster in [first, after_last), and the chunks whose segment overlaps
  // [start, stop) of the disk.
  std::span<const Chunk> chunks_in_file(std::uint64_t first, std::uint64_t after_last) const;
  std::span<const Chunk> chunks_on_disk(std::uint64_t start, std::uint64_t stop) const;
};

}  // namespace holdfast::image
