// One open handle of the tree. The operations that a kind of file doesn't have answer EBADF, as the
// kernel does for the wrong mode of opening.
//
// Calls on one handle may come from several threads at once. Authority is the opener's, as it is for any
// file descriptor that is handed on.
#pragma once

#include <cstdint>
#include <string_view>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

class OpenFile {
 public:
  virtual ~OpenFile() = default;

  // How much it put into the buffer; 0 at the end. EAGAIN: not yet; to be asked again when subject() has
  // changed. Files that wait for the same subject are ready together.
  virtual Result<std::size_t> read(std::uint64_t offset, ByteSpan into);
  virtual ObjectId subject() const { return {}; }

  // All of it, or an error and none of it. `append`: the handle was opened so.
  virtual Result<> write(std::uint64_t offset, std::string_view bytes, bool append);
  virtual Result<> truncate(std::uint64_t size);
  // A descriptor of this handle was closed, by that process.
  virtual Result<> flush(std::int32_t process);
  // The last one was. There is nobody left to tell.
  virtual void released() {}

  // Where data, or a hole, begins at or after the offset. ENXIO: nowhere.
  enum class Seek { data, hole };
  virtual Result<std::uint64_t> seek(std::uint64_t offset, Seek what);

 protected:
  // A read of text that is in memory.
  static std::size_t copy(std::string_view text, std::uint64_t offset, ByteSpan into);
};

}  // namespace holdfast::tree
