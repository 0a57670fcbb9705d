// Bytes as they lie on disk, and sizes in bytes.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
using ByteSpan = std::span<std::byte>;

constexpr std::uint64_t kKiB = 1024;
constexpr std::uint64_t kMiB = 1024 * kKiB;
constexpr std::uint64_t kGiB = 1024 * kMiB;
constexpr std::uint64_t kTiB = 1024 * kGiB;

template <class T>
constexpr T round_down(T value, T unit) {
  return value - value % unit;
}
template <class T>
constexpr T round_up(T value, T unit) {
  return round_down(value + unit - 1, unit);
}
template <class T>
constexpr T divide_up(T value, T unit) {
  return value / unit + (value % unit != 0);
}

constexpr std::uint16_t swap_if_little(std::uint16_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap16(v) : v;
}
constexpr std::uint32_t swap_if_little(std::uint32_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap32(v) : v;
}
constexpr std::uint64_t swap_if_little(std::uint64_t v) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(v) : v;
}

// Big-endian numbers at any alignment. The caller has checked that they lie inside the bytes.
template <class T>
T load_be(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return swap_if_little(value);
}
template <class T>
void store_be(std::byte* at, T value) {
  value = swap_if_little(value);
  std::memcpy(at, &value, sizeof value);
}

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); }

// Copies to the beginning of `into`, as memcpy does. (GCC 12's std::ranges::copy goes byte by byte.)
inline void copy_bytes(ByteView from, ByteSpan into) {
  if (!from.empty()) std::memcpy(into.data(), from.data(), from.size());
}

bool is_zero(ByteView bytes);

// Two lower-case digits a byte.
std::string to_hex(ByteView bytes);

}  // namespace holdfast
