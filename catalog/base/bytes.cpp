#include "catalog/base/bytes.h"

namespace holdfast {

// A buffer is zero when its first bytes are and it equals itself shifted by them: memcmp does the
// rest at the speed of memory.
bool is_zero(ByteView bytes) {
  constexpr std::size_t kHead = 16;
  const std::size_t head = bytes.size() < kHead ? bytes.size() : kHead;
  for (std::size_t i = 0; i < head; ++i)
    if (bytes[i] != std::byte{0}) return false;
  return bytes.size() <= kHead || std::memcmp(bytes.data(), bytes.data() + kHead, bytes.size() - kHead) == 0;
}

}  // namespace holdfast
