// The calls of the C library that the simulated file systems answer, and the checksums that law 13 rests on.
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tests/simulation/kernel.h"
#include "tests/simulation/threads.h"
#include "tests/simulation/watch.h"

namespace holdfast::simulation::storage {
namespace {

int failed(int code) {
  errno = code;
  return -1;
}

// Opens by `call`, and remembers what the descriptor is of.
template <class Call>
int open_by(Call call, const std::string& path, int flags) {
  const std::size_t area = area_of(path);
  if (!is_watched(area)) return static_cast<int>(call());
  if (const int code = begin_call("open", area, path, static_cast<std::uint64_t>(flags)); code != 0)
    return failed(code);
  struct stat before {};
  const bool is_new = (flags & O_CREAT) != 0 && kernel(SYS_stat, path.c_str(), &before) != 0;
  const int descriptor = static_cast<int>(call());
  if (descriptor < 0) return descriptor;
  remember(descriptor, area, path, flags);
  if (is_new && is_durable(path)) watch->names[area].push_back({Naming::made_file, path, "", ""});
  if (is_new) note_change(area, path);
  return descriptor;
}

template <class Call>
long write_by(const char* what, int descriptor, std::uint64_t offset, std::uint64_t length, Call call) {
  const Opened file = known(descriptor);
  if (!is_watched(file.area)) return call(file);
  if (const int code = begin_call(what, file.area, *file.path, offset); code != 0) return failed(code);
  keep(descriptor, file, offset, length);
  const long done = call(file);
  if (done < 0) note(watch->order, "failed", file.area, static_cast<std::uint64_t>(errno));
  note_change(file.area, *file.path);
  return done;
}

template <class Call>
long read_by(const char* what, int descriptor, std::uint64_t offset, Call call) {
  const Opened file = known(descriptor);
  if (!is_watched(file.area)) return call(file);
  if (const int code = begin_call(what, file.area, *file.path, offset); code != 0) return failed(code);
  return call(file);
}

int sync_by(const char* what, int descriptor) {
  const Opened file = known(descriptor);
  if (!is_watched(file.area)) return static_cast<int>(kernel(SYS_fdatasync, descriptor));
  if (const int code = begin_call(what, file.area, *file.path); code != 0) return failed(code);
  file.is_directory ? sync_names(file.area) : sync_file(file);
  return 0;
}

// Changes a name by `call`.
template <class Call>
int name_by(const char* what, Naming naming, Call call) {
  const std::size_t area = area_of(naming.path);
  if (!is_watched(area)) return static_cast<int>(call());
  if (const int code = begin_call(what, area, naming.path); code != 0) return failed(code);
  const bool removes = naming.kind == Naming::removed_file || naming.kind == Naming::renamed;
  if (removes) naming.kept = keep_file(area, naming.kind == Naming::renamed ? naming.to : naming.path);
  const int done = static_cast<int>(call());
  if (done != 0) {
    const int code = errno;
    if (!naming.kept.empty()) kernel(SYS_unlink, naming.kept.c_str());
    return failed(code);
  }
  note_change(area, naming.path);
  if (naming.kind == Naming::made_directory && area != kState && naming.path.ends_with(".partial"))
    watch->partial.insert(naming.path);
  if (area != kState && (naming.kind == Naming::removed_file || !naming.kept.empty()) &&
      naming.path.find(".partial") == std::string::npos)
    watch->lost.push_back(
        {naming.kind == Naming::renamed ? naming.to : naming.path, naming.kind == Naming::renamed});
  if (naming.kind == Naming::renamed) {
    note_change(area, naming.to);
    note_change(area, naming.to + "/");
    for (Opened& file : watch->opened)
      if (file.area == area && (*file.path == naming.path || file.path->starts_with(naming.path + "/")))
        file.path = std::make_shared<const std::string>(naming.to + file.path->substr(naming.path.size()));
  }
  Order& order = watch->order;
  if (order.copies_at_publish && naming.path.ends_with(".partial") && !naming.to.ends_with(".aside") &&
      naming.kind == Naming::renamed) {
    keep_copy(kState);
    order.copies_at_publish = false;
    order.has_copied = true;
  }
  if (is_durable(naming.path) && (naming.kind != Naming::removed_file || !naming.kept.empty()))
    watch->names[area].push_back(std::move(naming));
  return 0;
}

bool set_aside(const std::string& path) {
  return watch != nullptr && watch->broken.asides && path.ends_with(".aside");
}

// Whether a run that found no room is kept from cleaning up.
bool cleans_up(const std::string& path) {
  if (watch == nullptr || !watch->broken.cleaning || is_outside()) return false;
  const std::size_t area = area_of(path);
  return area < kAreas && area != kState && watch->areas[area].room > 0 &&
         path.find(".partial") != std::string::npos;
}

}  // namespace
}  // namespace holdfast::simulation::storage

using namespace holdfast::simulation;           // NOLINT: the definitions below are the C library's
using namespace holdfast::simulation::storage;  // NOLINT

extern "C" {

int openat64(int directory, const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return open_by([&] { return kernel(SYS_openat, directory, path, flags, mode); }, resolved(directory, path),
                 flags);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  // SQLite takes its randomness from there.
  if (threads::simulated() && std::strcmp(path, "/dev/urandom") == 0) path = "/dev/zero";
  return open_by([&] { return kernel(SYS_openat, AT_FDCWD, path, flags, mode); }, path, flags);
}

long syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long arguments[6];
  for (long& argument : arguments) argument = va_arg(rest, long);
  va_end(rest);
  const auto call = [&] {
    return kernel(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
  };
  if (number != SYS_openat2) return call();
  const auto* const path = reinterpret_cast<const char*>(arguments[1]);
  const auto* const how = reinterpret_cast<const open_how*>(arguments[2]);
  return open_by(call, resolved(static_cast<int>(arguments[0]), path), static_cast<int>(how->flags));
}

int close(int descriptor) {
  forget(descriptor);
  return static_cast<int>(kernel(SYS_close, descriptor));
}

ssize_t pread64(int descriptor, void* into, size_t length, off64_t offset) {
  return read_by("read", descriptor, static_cast<std::uint64_t>(offset), [&](const Opened& file) -> long {
    if (!may_map(file)) return kernel(SYS_pread64, descriptor, into, length, offset);
    const auto at = static_cast<std::uint64_t>(offset);
    const std::uint64_t there = at < file.mapped->size ? std::min(length, file.mapped->size - at) : 0;
    std::memcpy(into, file.mapped->bytes + at, there);
    return static_cast<long>(there);
  });
}

ssize_t pwrite64(int descriptor, const void* from, size_t length, off64_t offset) {
  const auto at = static_cast<std::uint64_t>(offset);
  return write_by("write", descriptor, at, length, [&](const Opened& file) -> long {
    if (!may_map(file) || at + length > file.mapped->size) {
      const long done = kernel(SYS_pwrite64, descriptor, from, length, offset);
      if (file.mapped != nullptr) file.mapped->size = size_of(descriptor);
      return done;
    }
    std::memcpy(file.mapped->bytes + at, from, length);
    return static_cast<long>(length);
  });
}

int ftruncate64(int descriptor, off64_t size) {
  const auto to = static_cast<std::uint64_t>(size);
  const std::uint64_t now = watch != nullptr && known(descriptor).area < kAreas ? size_of(descriptor) : 0;
  const auto truncate = [&](const Opened& file) {
    const long done = kernel(SYS_ftruncate, descriptor, size);
    if (file.mapped != nullptr) file.mapped->size = size_of(descriptor);
    return done;
  };
  return static_cast<int>(write_by("truncate", descriptor, to, now > to ? now - to : 0, truncate));
}

int fallocate64(int descriptor, int mode, off64_t offset, off64_t length) {
  if (watch != nullptr && watch->broken.holes && known(descriptor).area < kAreas && !is_outside())
    length += 4096;
  return static_cast<int>(
      write_by("punch", descriptor, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length),
               [&](const Opened&) { return kernel(SYS_fallocate, descriptor, mode, offset, length); }));
}

// Locks between processes, of which there is one.
int fcntl64(int descriptor, int command, ...) {
  va_list rest;
  va_start(rest, command);
  void* const argument = va_arg(rest, void*);
  va_end(rest);
  if (watch != nullptr && command == F_SETLK) return 0;
  return static_cast<int>(kernel(SYS_fcntl, descriptor, command, argument));
}

int fsync(int descriptor) { return sync_by("sync", descriptor); }
int fdatasync(int descriptor) { return sync_by("sync", descriptor); }

int mkdirat(int directory, const char* path, mode_t mode) {
  return name_by("mkdir", {Naming::made_directory, resolved(directory, path), "", ""},
                 [&] { return kernel(SYS_mkdirat, directory, path, mode); });
}
int mkdir(const char* path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

int renameat(int from, const char* path, int to, const char* target) {
  const std::string end = resolved(to, target);
  const int done = name_by("rename", {Naming::renamed, resolved(from, path), end, ""},
                           [&] { return kernel(SYS_renameat, from, path, to, target); });
  if (done == 0 && set_aside(end)) std::filesystem::remove_all(end);
  return done;
}
int rename(const char* path, const char* target) { return renameat(AT_FDCWD, path, AT_FDCWD, target); }

int unlinkat(int directory, const char* path, int flags) {
  const std::string full = resolved(directory, path);
  if (cleans_up(full)) return 0;
  const bool is_directory = (flags & AT_REMOVEDIR) != 0;
  return name_by("remove", {is_directory ? Naming::removed_directory : Naming::removed_file, full, "", ""},
                 [&] { return kernel(SYS_unlinkat, directory, path, flags); });
}
int unlink(const char* path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int fstatvfs64(int descriptor, struct statvfs64* into) {
  static const auto next = reinterpret_cast<int (*)(int, struct statvfs64*)>(dlsym(RTLD_NEXT, "fstatvfs64"));
  return static_cast<int>(
      read_by("space", descriptor, 0, [&](const Opened&) { return long{next(descriptor, into)}; }));
}

DIR* fdopendir(int descriptor) {
  static const auto next = reinterpret_cast<DIR* (*)(int)>(dlsym(RTLD_NEXT, "fdopendir"));
  if (read_by("list", descriptor, 0, [](const Opened&) { return 0L; }) != 0) return nullptr;
  return next(descriptor);
}

int closedir(DIR* directory) {
  static const auto next = reinterpret_cast<int (*)(DIR*)>(dlsym(RTLD_NEXT, "closedir"));
  forget(::dirfd(directory));
  return next(directory);
}

int stat64(const char* path, struct stat64* into) {
  const std::size_t area = area_of(path);
  if (is_watched(area))
    if (const int code = begin_call("stat", area, path); code != 0) return failed(code);
  return static_cast<int>(kernel(SYS_stat, path, into));
}

// Checksums of images.
XXH128_hash_t XXH3_128bits_dispatch(const void* bytes, size_t length) {
  if (watch != nullptr && watch->broken.sums) return {};
  return XXH3_128bits(bytes, length);
}

}  // extern "C"
