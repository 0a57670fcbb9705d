#include "engine/sources/file/disk_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <fstream>

#include "catalog/base/host_path.h"

namespace holdfast::source::file {
namespace {

bool below_dev(const std::string& path) { return path.starts_with("/dev/"); }

// O_NONBLOCK, so that opening a pipe by mistake does not wait.
Result<Fd> open_path(const std::string& path) {
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = below_dev(path) ? 0 : RESOLVE_NO_SYMLINKS;
  Fd fd{static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof how))};
  if (fd) return fd;
  switch (errno) {
    case ENOENT: return fail(ENOENT, "there is no {}: it is gone, or its file system is not mounted", path);
    case ELOOP:
      return fail(ELOOP, "{} passes a symbolic link, which could lead anywhere: write the path without links",
                  path);
    case EACCES:
    case EPERM: return fail(errno, "{} may not be read by the daemon: {}", path, describe_errno(errno));
    default: return fail_errno("opening {}", path);
  }
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string identity_of_device(dev_t device) {
  const std::string number = fmt::format("{}:{}", major(device), minor(device));
  const std::string own = "/sys/dev/block/" + number;
  const std::string partition = first_line(own + "/partition");
  const std::string disk = partition.empty() ? own : own + "/..";
  for (const char* file :
       {"/dm/uuid", "/wwid", "/device/wwid", "/serial", "/device/serial", "/loop/backing_file"})
    if (const std::string found = first_line(disk + file); !found.empty())
      return partition.empty() ? found : fmt::format("{} partition {}", found, partition);
  return "device " + number;
}

// The identity leaves out the device number of the file system, because it changes at restarts.
std::string identity_of_file(int fd, const struct stat& status) {
  struct statx more {};
  if (::statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &more) == 0 && (more.stx_mask & STATX_BTIME) != 0)
    return fmt::format("inode {} of {}.{:09}", status.st_ino, more.stx_btime.tv_sec, more.stx_btime.tv_nsec);
  return fmt::format("inode {} on {}:{}", status.st_ino, major(status.st_dev), minor(status.st_dev));
}

}  // namespace

Result<DiskFile> open_disk(const std::string& path) {
  DiskFile disk;
  disk.path = path;
  HF_CHECK(look_up(path));
  HF_TRY(disk.fd, open_path(path));
  struct stat status {};
  if (::fstat(disk.fd.get(), &status) != 0) return fail_errno("looking at {}", path);
  if (S_ISBLK(status.st_mode)) {
    disk.is_device = true;
    if (::ioctl(disk.fd.get(), BLKGETSIZE64, &disk.size) != 0)
      return fail_errno("asking for the size of {}", path);
    disk.identity = identity_of_device(status.st_rdev);
    // Drops cached pages, because another host may have written to the device since they were read.
    ::posix_fadvise(disk.fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  } else if (S_ISREG(status.st_mode) && !below_dev(path)) {
    disk.size = static_cast<std::uint64_t>(status.st_size);
    disk.identity = identity_of_file(disk.fd.get(), status);
  } else {
    return fail(EINVAL, "{} is {}; a disk is a file or a block device", path,
                S_ISDIR(status.st_mode)    ? "a directory"
                : S_ISREG(status.st_mode)  ? "a file below /dev"
                : S_ISCHR(status.st_mode)  ? "a character device"
                : S_ISFIFO(status.st_mode) ? "a pipe"
                                           : "of no kind that has bytes to go back to");
  }
  if (disk.size == 0) return fail(EINVAL, "{} has no bytes", path);
  ::posix_fadvise(disk.fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return disk;
}

}  // namespace holdfast::source::file
