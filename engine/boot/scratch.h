// Room for what guests write while their disks are tried.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "catalog/base/disk.h"

namespace holdfast::boot {

// A file without a name, so nothing of it stays, whatever ends the daemon. It is handed out in blocks, of
// which each belongs to one disk. Any thread may call.
class Scratch {
 public:
  static constexpr std::uint64_t kBlock = 64 * kKiB;

  // `reserve`: bytes of the file system that stay free.
  static Result<std::unique_ptr<Scratch>> open(const std::string& directory, std::uint64_t most,
                                               std::uint64_t reserve);

  // Returns the offset of a new block. ENOSPC: all of the room is taken.
  Result<std::uint64_t> take();
  File& file() const { return *file_; }

 private:
  Scratch(Fd fd, std::uint64_t most, std::uint64_t reserve);

  const int fd_;  // the file's own
  const std::unique_ptr<File> file_;
  const std::uint64_t most_, reserve_;
  std::atomic<std::uint64_t> taken_ = 0;
};

}  // namespace holdfast::boot
