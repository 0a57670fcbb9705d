// An open handle of the tree. Operations that a kind of file does not have fail with EBADF, as the kernel
// does after the wrong mode of opening.
//
// Several threads may call one handle at once. A handle acts as its opener, whoever holds it. Reading goes on
// without the right to read, as with any file descriptor; commands and definitions need the right to write at
// that moment.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "fsd/tree/holdings.h"
#include "fsd/tree/row.h"

namespace holdfast::tree {

class OpenFile {
 public:
  virtual ~OpenFile() = default;

  // Returns the number of bytes read; 0 at the end. EAGAIN: not yet; call again when subject() has changed.
  // Files that wait for the same subject become ready together.
  virtual Result<std::size_t> read(std::uint64_t offset, ByteSpan into);
  virtual ObjectId subject() const { return {}; }

  // Writes all bytes or none. `append`: the handle was opened with O_APPEND.
  virtual Result<> write(std::uint64_t offset, std::string_view bytes, bool append);
  virtual Result<> truncate(std::uint64_t size);
  // Called when that process closes a descriptor of this handle.
  virtual Result<> flush(std::int32_t process);
  // Called after the last descriptor was closed: an error has no receiver.
  virtual void released() {}

  // Returns the first offset of data, or of a hole, at or after `offset`. ENXIO: there is none.
  enum class Seek { data, hole };
  virtual Result<std::uint64_t> seek(std::uint64_t offset, Seek what);

  // Returns how much the handle keeps in memory as it was opened.
  virtual std::size_t kept() const { return 0; }
  // Takes the handle's share of what its opener may hold, before anybody else has the handle.
  void hold(Holdings::Share share) { share_ = std::move(share); }

 protected:
  // Tells how much the handle keeps from now on. EDQUOT: its opener would hold too much. One thread at a
  // time.
  Result<> keep(std::size_t bytes) { return share_.resize(Holdings::kOfHandle + bytes); }

  // Copies a part of a text as a read of it.
  static std::size_t copy(std::string_view text, std::uint64_t offset, ByteSpan into);

 private:
  Holdings::Share share_;
};

}  // namespace holdfast::tree
