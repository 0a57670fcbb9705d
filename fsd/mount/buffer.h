#pragma once

#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <new>

#include "catalog/base/bytes.h"

namespace holdfast::mount {

// Memory for one reply, on a page boundary: what the kernel copies fastest.
class Buffer {
 public:
  explicit Buffer(std::size_t size) : size_(size) {
    void* memory = nullptr;
    if (posix_memalign(&memory, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), size) != 0)
      throw std::bad_alloc();
    memory_.reset(static_cast<std::byte*>(memory));
  }
  ByteSpan span() const { return {memory_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
  };
  std::unique_ptr<std::byte, Free> memory_;
  std::size_t size_;
};

}  // namespace holdfast::mount
