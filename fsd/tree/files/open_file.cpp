#include "fsd/tree/files/open_file.h"

#include <cstring>

namespace holdfast::tree {

Result<std::size_t> OpenFile::read(std::uint64_t, ByteSpan) { return fail(EBADF, "not open for reading"); }
Result<> OpenFile::write(std::uint64_t, std::string_view, bool) {
  return fail(EBADF, "not open for writing");
}
Result<> OpenFile::truncate(std::uint64_t) { return fail(EBADF, "not open for writing"); }
Result<> OpenFile::flush(std::int32_t) { return {}; }
Result<std::uint64_t> OpenFile::seek(std::uint64_t, Seek) { return fail(EINVAL, "this file has no holes"); }

std::size_t OpenFile::copy(std::string_view text, std::uint64_t offset, ByteSpan into) {
  if (offset >= text.size()) return 0;
  const std::string_view part = text.substr(offset, into.size());
  std::memcpy(into.data(), part.data(), part.size());
  return part.size();
}

}  // namespace holdfast::tree
