// What a foreign image says that it is, also when nobody here can read it.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"

namespace holdfast::foreign {

enum class Format { raw, qcow, qcow2, luks, vmdk, vdi, vhd, vhdx, qed };
std::string_view to_word(Format format);  // as QEMU calls it

enum class Encryption { none, aes, luks, unknown };
std::string_view to_word(Encryption encryption);

// Below `format`, known of qcow and qcow2 only; nothing of it has been checked but that it was there to read.
struct Facts {
  Format format = Format::raw;  // raw: nothing that is known by its first bytes
  std::uint64_t file_size = 0;

  std::uint32_t version = 0;  // 1 for qcow; 2 or 3 for qcow2
  std::uint64_t virtual_size = 0;
  std::uint64_t cluster_size = 0;
  std::string compression;  // what compressed clusters would be compressed with: "deflate", "zstd"
  Encryption encryption = Encryption::none;
  std::string backing_file, backing_format, data_file;
  std::uint32_t snapshots = 0;
  bool extended_l2 = false, dirty = false, corrupt = false;
  std::uint64_t unknown_features = 0;  // incompatible ones
};

// EIO when it can't be read at all.
Result<Facts> look_at(const File& image);

}  // namespace holdfast::foreign
