#include "engine/boot/guest_disk.h"

#include <algorithm>

namespace holdfast::boot {
namespace {

constexpr std::uint64_t kBlock = Scratch::kBlock;

// Calls `visit` with the block, the place in the block, and the place in the range, of each part of a range.
template <class Visit>
Result<> each_part(std::uint64_t offset, std::uint64_t length, Visit visit) {
  for (std::uint64_t done = 0; done < length;) {
    const std::uint64_t inside = (offset + done) % kBlock;
    const std::uint64_t part = std::min(kBlock - inside, length - done);
    HF_CHECK(visit((offset + done) / kBlock, inside, done, part));
    done += part;
  }
  return {};
}

Result<> fill(const File& file, std::uint64_t offset, ByteSpan into) {
  HF_TRY(const std::size_t length, file.read_at(offset, into));
  if (length != into.size()) return fail(EIO, "the scratch file has lost its end");
  return {};
}

}  // namespace

Result<> GuestDisk::read(std::uint64_t offset, ByteSpan into) const {
  if (written_.empty()) return read_unchanged_(offset, into);
  return each_part(offset, into.size(), [&](auto block, auto inside, auto done, auto part) {
    const ByteSpan target = into.subspan(done, part);
    const auto own = written_.find(block);
    return own == written_.end() ? read_unchanged_(block * kBlock + inside, target)
                                 : fill(room_.file(), own->second + inside, target);
  });
}

Result<> GuestDisk::write(std::uint64_t offset, ByteView bytes) {
  return each_part(offset, bytes.size(), [&](auto block, auto inside, auto done, auto part) -> Result<> {
    HF_TRY(const std::uint64_t own, own_block(block));
    return room_.file().write_at(own + inside, bytes.subspan(done, part));
  });
}

// Returns the place of the disk's block in the room; copies its content there before the first write.
Result<std::uint64_t> GuestDisk::own_block(std::uint64_t block) {
  if (const auto known = written_.find(block); known != written_.end()) return known->second;
  Bytes content(kBlock);
  const std::uint64_t begin = block * kBlock;
  HF_CHECK(read_unchanged_(begin, ByteSpan{content}.first(std::min(kBlock, size_ - begin))));
  HF_TRY(const std::uint64_t own, room_.take());
  HF_CHECK(room_.file().write_at(own, content));
  written_.emplace(block, own);
  return own;
}

}  // namespace holdfast::boot
