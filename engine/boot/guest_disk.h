// A disk as the guest of a boot check sees it.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "engine/boot/scratch.h"

namespace holdfast::boot {

// Reads the disk, and keeps what is written in the scratch room: a point never changes. One thread at a time.
class GuestDisk {
 public:
  using Read = std::function<Result<>(std::uint64_t offset, ByteSpan into)>;
  // `read` reads the unchanged disk. The room must outlive the disk.
  GuestDisk(Read read, std::uint64_t size, Scratch& room)
      : read_unchanged_(std::move(read)), size_(size), room_(room) {}

  std::uint64_t size() const { return size_; }
  // The range must lie within the disk.
  Result<> read(std::uint64_t offset, ByteSpan into) const;
  Result<> write(std::uint64_t offset, ByteView bytes);

 private:
  Result<std::uint64_t> own_block(std::uint64_t block);

  const Read read_unchanged_;
  const std::uint64_t size_;
  Scratch& room_;
  std::unordered_map<std::uint64_t, std::uint64_t> written_;  // block of the disk → its offset in the room
};

}  // namespace holdfast::boot
