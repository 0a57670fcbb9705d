#include "fsd/mount/mount_point.h"

#include <fcntl.h>
#include <libmount/libmount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <climits>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "catalog/base/disk.h"
#include "catalog/base/log.h"

namespace holdfast::mount {
namespace {

// One largest read. More would not speed up sequential reads, and a sparse copy would read more zeros behind
// each stretch of data.
constexpr int kReadAheadKiB = 1024;

// Resolves the directory above the mount point only, because realpath() on a dead mount fails.
Result<std::string> absolute(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  const std::string last = slash == std::string::npos ? path : path.substr(slash + 1);
  std::string above = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (last.empty() || last == "." || last == "..") above = path;
  char resolved[PATH_MAX];
  if (realpath(above.c_str(), resolved) == nullptr) return fail_errno("the mount point {}", path);
  std::string result = resolved;
  if (above == path) return result;
  if (result.back() != '/') result += '/';
  return result + last;
}

// Returns the type of the topmost mount at the path; "" if nothing is mounted there.
Result<std::string> mounted_type(const std::string& path) {
  struct Release {
    void operator()(libmnt_table* table) const { mnt_unref_table(table); }
  };
  const std::unique_ptr<libmnt_table, Release> mounts(mnt_new_table_from_file("/proc/self/mountinfo"));
  if (!mounts)
    return fail(EIO, "/proc/self/mountinfo can't be read, so the mount point {} can't be checked", path);
  libmnt_fs* topmost = mnt_table_find_target(mounts.get(), path.c_str(), MNT_ITER_BACKWARD);
  return topmost == nullptr ? std::string{} : std::string{mnt_fs_get_fstype(topmost)};
}

}  // namespace

Result<std::string> prepare_mount_point(const std::string& given) {
  HF_TRY(const std::string path, absolute(given));
  for (;;) {
    HF_TRY(const std::string type, mounted_type(path));
    if (type.empty()) break;
    if (type != kType)
      return fail(EBUSY, "the mount point {} is taken: something of type {} is mounted there", path, type);
    struct stat it {};
    if (stat(path.c_str(), &it) == 0 || errno != ENOTCONN)
      return fail(EBUSY, "the mount point {} is taken: a Holdfast that lives is mounted there", path);
    log::warning("{}: detaching the mount of a daemon that was killed", path);
    HF_CHECK(detach(path));
  }
  struct stat it {};
  if (stat(path.c_str(), &it) != 0) return fail_errno("the mount point {}", path);
  if (!S_ISDIR(it.st_mode)) return fail(ENOTDIR, "the mount point {} is no directory", path);
  HF_TRY(const auto directory, open_directory(path));
  HF_TRY(const auto entries, directory->list("."));
  if (!entries.empty())
    return fail(ENOTEMPTY, "the mount point {} is not empty: '{}' is in it; name an empty directory", path,
                entries.front().name);
  return path;
}

Result<Fd> mount_at(const std::string& path, std::size_t largest_read) {
  Fd fd(::open("/dev/fuse", O_RDWR | O_CLOEXEC));
  if (!fd) return fail_errno("opening /dev/fuse");
  const std::string options =
      fmt::format("fd={},rootmode=40000,user_id={},group_id={},allow_other,default_permissions,max_read={}",
                  fd.get(), getuid(), getgid(), largest_read);
  if (::mount(kSource, path.c_str(), kType, MS_NOSUID | MS_NODEV | MS_NOATIME, options.c_str()) != 0)
    return fail_errno("mounting at {}", path);
  return fd;
}

Result<> detach(const std::string& path) {
  if (umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0) return fail_errno("unmounting {}", path);
  return {};
}

void raise_read_ahead(const std::string& path) {
  struct stat it {};
  if (stat(path.c_str(), &it) != 0) return;
  std::ofstream setting(
      fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", major(it.st_dev), minor(it.st_dev)));
  if (!(setting << kReadAheadKiB << std::flush))
    log::warning("read-ahead stays as it is; reading images in order will be slower");
}

}  // namespace holdfast::mount
