#include "engine/image/codec.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <random>

namespace holdfast::image {
namespace {

// Inflates with the smallest window that readers of qcow2 may have. Output goes out in small pieces, so that
// zlib can look back into its window only. Returns Z_STREAM_END, or Z_DATA_ERROR if the stream looks back
// further.
int inflate_with_window(ByteView stream, std::vector<Bytef>& out, int window_bits) {
  z_stream state{};
  EXPECT_EQ(inflateInit2(&state, -window_bits), Z_OK);
  state.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(stream.data()));
  state.avail_in = static_cast<uInt>(stream.size());
  int outcome = Z_OK;
  while (outcome == Z_OK) {
    Bytef piece[256];
    state.next_out = piece;
    state.avail_out = sizeof piece;
    outcome = inflate(&state, Z_NO_FLUSH);
    out.insert(out.end(), piece, piece + (sizeof piece - state.avail_out));
  }
  inflateEnd(&state);
  return outcome;
}

// Returns noise that repeats at a distance: only a larger window compresses it.
Bytes repeating_at(std::size_t distance) {
  std::mt19937 random(7);
  Bytes cluster(65536);
  for (std::size_t i = 0; i < cluster.size(); ++i)
    cluster[i] = i < distance ? static_cast<std::byte>(random()) : cluster[i - distance];
  return cluster;
}

TEST(Codec, deflate_never_looks_back_further_than_4_kib) {
  const auto compressor = *Compressor::make(Codec::deflate, 9);
  for (const std::size_t distance : {1000, 4000, 5000, 20000}) {
    const Bytes cluster = repeating_at(distance);
    Bytes into(2 * cluster.size());
    into.resize(compressor->compress(cluster, into));
    std::vector<Bytef> out;
    ASSERT_EQ(inflate_with_window(into, out, 12), Z_STREAM_END) << distance;
    ASSERT_EQ(out.size(), cluster.size());
    EXPECT_EQ(std::memcmp(out.data(), cluster.data(), out.size()), 0);
  }
}

TEST(Codec, a_stream_that_looks_back_further_is_seen) {
  const Bytes cluster = repeating_at(20000);
  std::vector<Bytef> stream(compressBound(cluster.size()) + 64);
  z_stream state{};
  ASSERT_EQ(deflateInit2(&state, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
  state.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(cluster.data()));
  state.avail_in = static_cast<uInt>(cluster.size());
  state.next_out = stream.data();
  state.avail_out = static_cast<uInt>(stream.size());
  ASSERT_EQ(deflate(&state, Z_FINISH), Z_STREAM_END);
  stream.resize(stream.size() - state.avail_out);
  deflateEnd(&state);
  std::vector<Bytef> out;
  EXPECT_EQ(inflate_with_window(std::as_bytes(std::span{stream}), out, 12), Z_DATA_ERROR);
}

TEST(Codec, deflate_has_nine_levels) {
  EXPECT_TRUE(Compressor::make(Codec::deflate, 9));
  EXPECT_FALSE(Compressor::make(Codec::deflate, 10));
}

}  // namespace
}  // namespace holdfast::image
