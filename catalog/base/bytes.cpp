#include "catalog/base/bytes.h"

#include <fmt/format.h>

namespace holdfast {

// A buffer is zero when its first bytes are zero and it equals itself shifted by them, which memcmp checks at
// the speed of memory.
bool is_zero(ByteView bytes) {
  constexpr std::size_t kHead = 16;
  const std::size_t head = bytes.size() < kHead ? bytes.size() : kHead;
  for (std::size_t i = 0; i < head; ++i)
    if (bytes[i] != std::byte{0}) return false;
  return bytes.size() <= kHead || std::memcmp(bytes.data(), bytes.data() + kHead, bytes.size() - kHead) == 0;
}

std::string to_hex(ByteView bytes) {
  std::string text;
  for (const std::byte byte : bytes)
    fmt::format_to(std::back_inserter(text), "{:02x}", std::to_integer<unsigned>(byte));
  return text;
}

}  // namespace holdfast
