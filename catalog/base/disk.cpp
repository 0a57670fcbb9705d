#include "catalog/base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include <algorithm>

#include "catalog/base/read_descriptors.h"
#include "catalog/base/waits.h"

namespace holdfast {
namespace {

class HostFile final : public File {
 public:
  HostFile(std::shared_ptr<const Fd> fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    may_wait(name_);
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t n =
          ::pread(fd_->get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno("reading {} at {}", name_, offset + done);
      if (n == 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }

  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    may_wait(name_);
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t n =
          ::pwrite(fd_->get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return fail_errno("writing {} at {}", name_, offset + done);
      if (n == 0) return fail(EIO, "writing {} at {}: nothing was taken", name_, offset + done);
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Result<> truncate(std::uint64_t size) override {
    may_wait(name_);
    if (::ftruncate(fd_->get(), static_cast<off_t>(size)) != 0)
      return fail_errno("setting the size of {} to {}", name_, size);
    return {};
  }

  Result<> punch(std::uint64_t offset, std::uint64_t length) override {
    may_wait(name_);
    if (::fallocate(fd_->get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                    static_cast<off_t>(length)) == 0)
      return {};
    if (errno == ENOSYS) errno = EOPNOTSUPP;
    return fail_errno("punching {} bytes out of {} at {}", length, name_, offset);
  }

  Result<> sync_data() override {
    may_wait(name_);
    if (::fdatasync(fd_->get()) != 0) return fail_errno("syncing {}", name_);
    return {};
  }

  Result<std::uint64_t> size() const override {
    may_wait(name_);
    struct stat status {};
    if (::fstat(fd_->get(), &status) != 0) return fail_errno("looking at {}", name_);
    if (!S_ISBLK(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
    const off_t end = ::lseek(fd_->get(), 0, SEEK_END);  // the position itself is never used
    if (end < 0) return fail_errno("asking for the size of {}", name_);
    return static_cast<std::uint64_t>(end);
  }

  Result<std::uint64_t> allocated() const override {
    may_wait(name_);
    struct stat status {};
    if (::fstat(fd_->get(), &status) != 0) return fail_errno("looking at {}", name_);
    return static_cast<std::uint64_t>(status.st_blocks) * 512;
  }

  const std::string& name() const override { return name_; }

 private:
  const std::shared_ptr<const Fd> fd_;
  const std::string name_;
};

class HostDirectory final : public Directory {
 public:
  HostDirectory(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}

  Result<std::unique_ptr<File>> open(const std::string& path, Access access) const override {
    may_wait(path_);
    // Without O_NONBLOCK, opening a FIFO waits for its other end.
    HF_TRY(Fd fd,
           open_beneath(path, (access == Access::read ? O_RDONLY : O_RDWR) | O_NONBLOCK | O_NOCTTY, 0));
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return fail_errno("looking at {}", full(path));
    if (!S_ISREG(status.st_mode))
      return fail(EINVAL, "{} is not a regular file; nothing else is read here", full(path));
    if (access == Access::write) return file_of(std::move(fd), full(path));
    return std::make_unique<HostFile>(read_descriptors().share(full(path), std::move(fd), status),
                                      full(path));
  }

  Result<std::unique_ptr<File>> create(const std::string& path) override {
    may_wait(path_);
    HF_TRY(Fd fd, open_beneath(path, O_RDWR | O_CREAT | O_EXCL, 0600));
    return file_of(std::move(fd), full(path));
  }

  Result<> make_directory(const std::string& path) override {
    may_wait(path_);
    HF_TRY(const ParentAndName place, parent_of(path));
    if (::mkdirat(place.parent.get(), place.name.c_str(), 0700) != 0)
      return fail_errno("making directory {}", full(path));
    return {};
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    may_wait(path_);
    HF_TRY(const ParentAndName source, parent_of(from));
    HF_TRY(const ParentAndName target, parent_of(to));
    if (::renameat(source.parent.get(), source.name.c_str(), target.parent.get(), target.name.c_str()) != 0)
      return fail_errno("renaming {} to {}", full(from), full(to));
    return {};
  }

  Result<> remove(const std::string& path) override {
    may_wait(path_);
    HF_TRY(const ParentAndName place, parent_of(path));
    if (::unlinkat(place.parent.get(), place.name.c_str(), 0) == 0) return {};
    if (errno == EISDIR && ::unlinkat(place.parent.get(), place.name.c_str(), AT_REMOVEDIR) == 0) return {};
    return fail_errno("removing {}", full(path));
  }

  Result<> sync(const std::string& path) override {
    may_wait(path_);
    HF_TRY(const Fd fd, open_beneath(path, O_RDONLY | O_DIRECTORY, 0));
    if (::fsync(fd.get()) != 0) return fail_errno("syncing directory {}", full(path));
    return {};
  }

  Result<std::vector<Entry>> list(const std::string& path) const override {
    may_wait(path_);
    HF_TRY(Fd fd, open_beneath(path, O_RDONLY | O_DIRECTORY, 0));
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::fdopendir(fd.get()), ::closedir);
    if (!directory) return fail_errno("listing {}", full(path));
    const int opened = fd.release();  // the stream owns it now
    std::vector<Entry> entries;
    for (;;) {
      errno = 0;
      const dirent* found = ::readdir(directory.get());
      if (found == nullptr) break;
      const std::string name = found->d_name;
      if (name == "." || name == "..") continue;
      bool is_directory = found->d_type == DT_DIR;
      if (found->d_type == DT_UNKNOWN) {
        struct stat status {};
        if (::fstatat(opened, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
          return fail_errno("looking at {}/{}", full(path), name);
        is_directory = S_ISDIR(status.st_mode);
      }
      entries.push_back({name, is_directory});
    }
    if (errno != 0) return fail_errno("listing {}", full(path));
    std::ranges::sort(entries, {}, &Entry::name);
    return entries;
  }

  Result<bool> exists(const std::string& path) const override {
    may_wait(path_);
    const auto fd = open_beneath(path, O_PATH | O_NOFOLLOW, 0);
    if (fd) return true;
    if (fd.error().code == ENOENT) return false;
    return tl::make_unexpected(fd.error());
  }

  Result<Space> space() const override {
    may_wait(path_);
    struct statvfs status {};
    if (::fstatvfs(fd_.get(), &status) != 0) return fail_errno("asking {} for its free space", path_);
    return Space{status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize};
  }

 private:
  struct ParentAndName {
    Fd parent;
    std::string name;
  };

  std::string full(const std::string& path) const { return path == "." ? path_ : path_ + "/" + path; }

  Result<Fd> open_beneath(const std::string& path, int flags, mode_t mode) const {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC);
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    const long fd = ::syscall(SYS_openat2, fd_.get(), path.c_str(), &how, sizeof how);
    if (fd < 0) return fail_errno("opening {}", full(path));
    return Fd{static_cast<int>(fd)};
  }

  // The *at calls resolve only a last name, below a parent that openat2 has resolved.
  Result<ParentAndName> parent_of(const std::string& path) const {
    const auto slash = path.rfind('/');
    std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
    if (name.empty() || name == "." || name == "..")
      return fail(EINVAL, "'{}' names no entry of {}", path, path_);
    HF_TRY(Fd parent,
           open_beneath(slash == std::string::npos ? "." : path.substr(0, slash), O_PATH | O_DIRECTORY, 0));
    return ParentAndName{std::move(parent), std::move(name)};
  }

  Fd fd_;
  std::string path_;
};

}  // namespace

std::unique_ptr<File> file_of(Fd fd, std::string name) {
  return std::make_unique<HostFile>(std::make_shared<const Fd>(std::move(fd)), std::move(name));
}

Result<std::unique_ptr<Directory>> open_directory(const std::string& host_path) {
  may_wait(host_path);
  Fd fd{::open(host_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd) return fail_errno("opening directory {}", host_path);
  return std::make_unique<HostDirectory>(std::move(fd), host_path);
}

Result<std::string> read_small_file(const Directory& directory, const std::string& path,
                                    std::size_t at_most) {
  HF_TRY(const auto file, directory.open(path, Access::read));
  HF_TRY(const std::uint64_t size, file->size());
  if (size > at_most)
    return fail(EFBIG, "{} has {} bytes, more than the {} expected", file->name(), size, at_most);
  std::string text(size, '\0');
  HF_TRY(const std::size_t got,
         file->read_at(0, std::as_writable_bytes(std::span{text.data(), text.size()})));
  text.resize(got);
  return text;
}

Result<> write_new_file(Directory& directory, const std::string& path, std::string_view text) {
  HF_TRY(const auto file, directory.create(path));
  HF_CHECK(file->write_at(0, as_bytes(text)));
  return file->sync_data();
}

namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

}  // namespace

Result<> replace_file(Directory& directory, const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  HF_TRY(const bool left_over, directory.exists(fresh));
  if (left_over) HF_CHECK(directory.remove(fresh));
  auto put = write_new_file(directory, fresh, text);
  if (put) put = directory.rename(fresh, path);
  if (!put) {
    (void)directory.remove(fresh);  // the disk may be full
    return put;
  }
  return directory.sync(folder_of(path));
}

Result<> make_if_missing(Directory& directory, const std::string& path) {
  HF_TRY(const bool there, directory.exists(path));
  if (there) return {};
  HF_CHECK(directory.make_directory(path));
  return directory.sync(folder_of(path));
}

Result<> remove_tree(Directory& directory, const std::string& path) {
  HF_TRY(const bool there, directory.exists(path));
  if (!there) return {};
  const auto entries = directory.list(path);
  if (entries) {
    for (const auto& entry : *entries) {
      const std::string below = path + "/" + entry.name;
      HF_CHECK(entry.is_directory ? remove_tree(directory, below) : directory.remove(below));
    }
  } else if (entries.error().code != ENOTDIR && entries.error().code != ELOOP) {
    return tl::make_unexpected(entries.error());
  }
  return directory.remove(path);
}

}  // namespace holdfast
