#pragma once

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "catalog/base/bytes.h"

namespace holdfast::mount {

// The largest read that the kernel sends.
constexpr std::size_t kLargestRead = kMiB;

// Returns the calling thread's buffer for one reply. It is page-aligned, because the kernel copies that
// fastest.
inline ByteSpan reply_buffer() {
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  thread_local const std::unique_ptr<std::byte, Free> memory = [] {
    void* pages = nullptr;
    if (posix_memalign(&pages, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), kLargestRead) != 0)
      throw std::bad_alloc();
    return std::unique_ptr<std::byte, Free>(static_cast<std::byte*>(pages));
  }();
  return {memory.get(), kLargestRead};
}

}  // namespace holdfast::mount
