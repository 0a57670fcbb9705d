// The facts that a foreign image's header states, also for images that Holdfast can't read.
#pragma once

#include <cstdint>
#include <string>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"

namespace holdfast::foreign {

enum class Format { raw, qcow, qcow2, luks, vmdk, vdi, vhd, vhdx, qed };
std::string_view to_word(Format format);  // QEMU's name of the format

enum class Encryption { none, aes, luks, unknown };
std::string_view to_word(Encryption encryption);

// Fields below `format` are set for qcow and qcow2 only. They are read, not checked.
struct Facts {
  Format format = Format::raw;  // raw: the first bytes are those of no known format
  std::uint64_t file_size = 0;

  std::uint32_t version = 0;  // 1 for qcow; 2 or 3 for qcow2
  std::uint64_t virtual_size = 0;
  std::uint64_t cluster_size = 0;
  std::string compression;  // codec of compressed clusters, if there are any: "deflate", "zstd"
  Encryption encryption = Encryption::none;
  std::string backing_file, backing_format, data_file;
  std::uint32_t snapshots = 0;
  bool extended_l2 = false, dirty = false, corrupt = false;
  std::uint64_t unknown_features = 0;  // incompatible feature bits that Holdfast doesn't know
};

// Returns the format whose mark the first bytes of a file bear; 512 bytes suffice.
Format format_of(ByteView start);

// EIO if the file can't be read.
Result<Facts> look_at(const File& image);

}  // namespace holdfast::foreign
