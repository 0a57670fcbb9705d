#include "engine/foreign/image_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

namespace holdfast::foreign {
namespace {

// QEMU locks single bytes of its open images: byte 100 + N if it uses permission N, byte 200 + N if it shares
// permission N with nobody. Permission 1 is writing.
constexpr off_t kWrites = 100 + 1;
constexpr off_t kLetsNobodyWrite = 200 + 1;

struct flock byte_lock(short type, off_t byte) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return lock;
}

std::string without_links(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), std::free);
  return real ? real.get() : path;
}

// Opens the path without opening the file, because opening a device may have effects.
Result<Fd> look_up(const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS;
  const long fd = ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how);
  if (fd >= 0) return Fd{static_cast<int>(fd)};
  if (errno == ELOOP)
    return fail(EINVAL, "{} leads through a symbolic link; name the file itself: {}", path,
                without_links(path));
  return fail_errno("opening {}", path);
}

Result<Fd> open_to_read(const Fd& looked_up, const std::string& path) {
  const std::string same = fmt::format("/proc/self/fd/{}", looked_up.get());
  Fd fd{::open(same.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return fail_errno("opening {}", path);
  return fd;
}

}  // namespace

Result<ImageFile> ImageFile::open(const std::string& path) {
  if (!path.starts_with('/')) return fail(EINVAL, "'{}' is no absolute path", path);
  HF_TRY(const Fd found, look_up(path));
  struct stat status {};
  if (::fstat(found.get(), &status) != 0) return fail_errno("looking at {}", path);
  if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
    return fail(EINVAL, "{} is no file and no block device", path);
  HF_TRY(Fd fd, open_to_read(found, path));
  ImageFile file(std::move(fd), path);
  HF_CHECK(file.keep_from_changing());
  if (::fstat(file.fd(), &file.opened_) != 0) return fail_errno("looking at {}", path);
  return file;
}

Result<> ImageFile::keep_from_changing() const {
  struct flock mine = byte_lock(F_RDLCK, kLetsNobodyWrite);
  // A file system without locks can't have a QEMU that holds one.
  if (::fcntl(fd_.get(), F_OFD_SETLK, &mine) != 0) return {};
  struct flock others = byte_lock(F_WRLCK, kWrites);
  if (::fcntl(fd_.get(), F_OFD_GETLK, &others) == 0 && others.l_type != F_UNLCK)
    return fail(EBUSY, "{} is being written to by another program, perhaps a running machine; end that first",
                path_);
  return {};
}

// A copied descriptor is the same open file to the kernel, and has the same locks.
Result<ImageFile> ImageFile::share() const {
  Fd copy{::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0)};
  if (!copy) return fail_errno("opening {} again", path_);
  ImageFile same(std::move(copy), path_);
  same.opened_ = opened_;
  return same;
}

Result<std::unique_ptr<File>> ImageFile::file() const {
  HF_TRY(ImageFile same, share());
  return file_of(std::move(same.fd_), path_);
}

Result<> ImageFile::check_unchanged() const {
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0) return fail_errno("looking at {}", path_);
  const bool same = now.st_size == opened_.st_size && now.st_mtim.tv_sec == opened_.st_mtim.tv_sec &&
                    now.st_mtim.tv_nsec == opened_.st_mtim.tv_nsec;
  // A device has no time of its last change.
  if (!same && S_ISREG(now.st_mode))
    return fail(EBUSY, "{} was changed while it was read; try again when nobody writes to it", path_);
  return {};
}

}  // namespace holdfast::foreign
