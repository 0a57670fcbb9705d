#include "engine/sources/file/reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "engine/sources/inside.h"

namespace holdfast::source::file {
namespace {

constexpr std::uint64_t kRead = kMiB;

}  // namespace

Result<> Reader::check_whole() const {
  if (disk_->is_device) return {};
  struct stat status {};
  if (::fstat(disk_->fd.get(), &status) != 0) return fail_errno("looking at {}", disk_->path);
  if (static_cast<std::uint64_t>(status.st_size) >= disk_->size) return {};
  return fail(EIO, "{} was truncated while it was read: it has {} bytes, and had {}", disk_->path,
              status.st_size, disk_->size);
}

Result<std::vector<Extent>> Reader::extents(std::uint64_t offset, std::uint64_t length) {
  HF_CHECK(check_inside({offset, length}, disk_->size, disk_->path));
  const std::uint64_t end = offset + length;
  std::vector<Extent> extents;
  const auto add = [&](std::uint64_t until, bool zero) {
    until = std::min(until, end);
    if (until > offset) extents.push_back({.offset = offset, .length = until - offset, .zero = zero});
    offset = std::max(offset, until);
  };
  const auto seek = [&](int whence) -> std::uint64_t {
    const off_t found = ::lseek(disk_->fd.get(), static_cast<off_t>(offset), whence);
    if (found >= 0) return static_cast<std::uint64_t>(found);
    if (whence == SEEK_DATA && errno == ENXIO) return end;  // only a hole is left
    return whence == SEEK_DATA ? offset : end;              // the file system can't tell
  };
  while (offset < end) {
    add(seek(SEEK_DATA), true);
    if (offset < end) add(std::max(seek(SEEK_HOLE), offset + 1), false);
  }
  HF_CHECK(check_whole());
  return extents;
}

Result<> Reader::read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) {
  HF_CHECK(check_inside(ranges, disk_->size, disk_->path));
  buffer_.resize(kRead);
  for (const Range& range : ranges) {
    const std::uint64_t end = range.offset + range.length;
    for (std::uint64_t at = range.offset; at < end;) {
      if (cancel.requested()) return fail(ECANCELED, "cancelled");
      const ByteSpan block = ByteSpan{buffer_}.first(std::min(end - at, kRead - at % kRead));
      HF_CHECK(fill(at, block));
      for (std::size_t done = 0; done < block.size();) {
        if (cancel.requested()) return fail(ECANCELED, "cancelled");
        const auto piece = block.subspan(
            done, std::min<std::uint64_t>(block.size() - done, kMostOfAPiece - (at + done) % kMostOfAPiece));
        HF_CHECK(sink(at + done, piece));
        done += piece.size();
      }
      at += block.size();
    }
  }
  return check_whole();
}

Result<> Reader::fill(std::uint64_t offset, ByteSpan into) const {
  while (!into.empty()) {
    const ssize_t got = ::pread(disk_->fd.get(), into.data(), into.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading {} bytes at {} of {}", into.size(), offset, disk_->path);
    if (got == 0) {
      HF_CHECK(check_whole());
      return fail(EIO, "{} ends at {}, and had {} bytes", disk_->path, offset, disk_->size);
    }
    into = into.subspan(static_cast<std::size_t>(got));
    offset += static_cast<std::uint64_t>(got);
  }
  return {};
}

}  // namespace holdfast::source::file
