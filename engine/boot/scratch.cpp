#include "engine/boot/scratch.h"

#include <fcntl.h>
#include <sys/statvfs.h>

namespace holdfast::boot {

Result<std::unique_ptr<Scratch>> Scratch::open(const std::string& directory, std::uint64_t most,
                                               std::uint64_t reserve) {
  Fd fd{::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  if (!fd) return fail_errno("making a file without a name in {}", directory);
  return std::unique_ptr<Scratch>(new Scratch(std::move(fd), most, reserve));
}

Scratch::Scratch(Fd fd, std::uint64_t most, std::uint64_t reserve)
    : fd_(fd.get()), file_(file_of(std::move(fd), "scratch")), most_(most), reserve_(reserve) {}

Result<std::uint64_t> Scratch::take() {
  struct statvfs space {};
  if (::fstatvfs(fd_, &space) != 0) return fail_errno("looking at the room for scratch");
  if (space.f_bavail * space.f_frsize < reserve_ + kBlock)
    return fail(ENOSPC, "the state directory has no room for what the guest writes");
  const std::uint64_t offset = taken_.fetch_add(kBlock);
  if (offset + kBlock > most_)
    return fail(ENOSPC, "the guest writes more than {} bytes, which is all that a boot check may keep",
                most_);
  return offset;
}

}  // namespace holdfast::boot
