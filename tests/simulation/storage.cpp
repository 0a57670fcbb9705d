// Law 2: what a power failure may take is what nobody has synced.
#include "tests/simulation/storage.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "tests/simulation/kernel.h"
#include "tests/simulation/threads.h"
#include "tests/simulation/watch.h"

namespace holdfast::simulation::storage {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kMostOfAnArea = 64 << 20;
constexpr std::string_view kBehind = "/mnt/behind";  // where the file systems lie while they are away
constexpr std::string_view kCopies = "/mnt/copies";
constexpr std::string_view kRemoved =
    "/removed";  // in each file system, what was removed and could come back

thread_local int outside = 0;

std::string behind(std::size_t area) { return std::string(kBehind) + std::string(kRoots[area].substr(4)); }
std::string copy_of(std::size_t area) { return std::string(kCopies) + std::string(kRoots[area].substr(4)); }

// The path itself, even while nothing is mounted there.
std::string stored(std::size_t area, const std::string& path) {
  return behind(area) + "/tree" + path.substr(kRoots[area].size());
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Returns a descriptor of the file that can write; -1 if the engine has none.
int writing_descriptor(std::uint64_t inode, std::size_t area) {
  for (std::size_t descriptor = 0; descriptor < watch->opened.size(); ++descriptor) {
    const Opened& file = watch->opened[descriptor];
    if (file.area == area && file.inode == inode && file.is_writable) return static_cast<int>(descriptor);
  }
  return -1;
}

void undo(std::size_t area, const Naming& naming) {
  const std::string path = stored(area, naming.path);
  switch (naming.kind) {
    case Naming::made_file: kernel(SYS_unlink, path.c_str()); break;
    case Naming::made_directory: kernel(SYS_rmdir, path.c_str()); break;
    case Naming::renamed:
      kernel(SYS_rename, stored(area, naming.to).c_str(), path.c_str());
      if (!naming.kept.empty()) kernel(SYS_rename, naming.kept.c_str(), stored(area, naming.to).c_str());
      break;
    case Naming::removed_file: kernel(SYS_rename, naming.kept.c_str(), path.c_str()); break;
    case Naming::removed_directory: kernel(SYS_mkdir, path.c_str(), 0700); break;
  }
}

// Each page keeps a first part of its changes, and so does the size.
void undo(const Unsynced& file, Dice& dice) {
  std::map<std::uint64_t, std::size_t> kept;  // by page: the changes that survive
  const auto survives = [&](std::uint64_t page, std::size_t number) {
    const auto [entry, is_new] = kept.try_emplace(page, 0);
    if (is_new) entry->second = dice.one_in(4) ? file.changes.size() : dice.below(file.changes.size() + 1);
    return number < entry->second;
  };
  constexpr std::uint64_t kSize = ~0ULL;
  for (std::size_t number = file.changes.size(); number-- > 0;) {
    const Change& change = file.changes[number];
    if (!survives(kSize, number)) kernel(SYS_ftruncate, file.descriptor, change.size_before);
    const std::uint64_t size = size_of(file.descriptor);
    if (!survives(change.offset / kPage, number) && change.offset < size)
      kernel(SYS_pwrite64, file.descriptor, file.before.data() + change.at,
             std::min(change.length, size - change.offset), change.offset);
  }
}

void mount_at(const char* source, const std::string& target, unsigned long flags, const char* options) {
  if (::mount(source, target.c_str(), flags & MS_BIND ? nullptr : "tmpfs", flags, options) != 0) std::abort();
}

void empty(const std::string& directory) {
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    std::filesystem::remove_all(entry.path());
}

void copy_all(const std::string& from, const std::string& to) {
  for (const auto& entry : std::filesystem::directory_iterator(from))
    if (is_durable(entry.path().string()))
      std::filesystem::copy(entry.path(), std::filesystem::path(to) / entry.path().filename(),
                            std::filesystem::copy_options::recursive);
}

}  // namespace

Watch* watch = nullptr;

std::size_t area_of(std::string_view path) {
  for (std::size_t area = 0; area < kAreas; ++area)
    if (path.starts_with(kRoots[area]) &&
        (path.size() == kRoots[area].size() || path[kRoots[area].size()] == '/'))
      return area;
  return kAreas;
}

bool is_watched(std::size_t area) {
  return area < kAreas && outside == 0 && threads::simulated() && watch != nullptr;
}

bool is_durable(const std::string& path) { return !path.ends_with("-shm"); }

// Begins a call: another thread may go on before it; then it may hang or fail. Returns an errno.
int begin_call(const char* what, std::size_t area, const std::string& path, std::uint64_t value) {
  threads::point();
  note(watch->order, what, path, area, value);
  Area& condition = watch->areas[area];
  while (watch->order.now < condition.hangs_until) threads::wait(&condition, condition.hangs_until);
  if (condition.errors > 0 && watch->order.storage.below(1000) < condition.errors) return EIO;
  return 0;
}

void note_change(std::size_t area, const std::string& path) {
  if (area == kState || path.find(".partial") != std::string::npos) return;
  watch->changed.insert(directory_of(path));
}

Opened known(int descriptor) {
  const auto number = static_cast<std::size_t>(descriptor);
  return watch == nullptr || number >= watch->opened.size() ? Opened{} : watch->opened[number];
}

namespace {

constexpr std::string_view kCatalog = "/mnt/state/catalog.sqlite";

bool is_mapped(std::size_t area, std::string_view path) {
  return area == kState && (path == kCatalog || path == std::string(kCatalog) + "-wal");
}

// Returns null if the first descriptor of the file can't write.
Mapped* map(int descriptor, const struct stat& it) {
  if (const auto known = watch->mapped.find(it.st_ino); known != watch->mapped.end()) return &known->second;
  void* const bytes =
      ::mmap(nullptr, kMostOfAnArea, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
  if (bytes == MAP_FAILED) return nullptr;
  return &watch->mapped
              .emplace(it.st_ino, Mapped{static_cast<char*>(bytes), static_cast<std::uint64_t>(it.st_size)})
              .first->second;
}

}  // namespace

void remember(int descriptor, std::size_t area, const std::string& path, int flags) {
  struct stat it {};
  kernel(SYS_fstat, descriptor, &it);
  const auto number = static_cast<std::size_t>(descriptor);
  if (number >= watch->opened.size()) watch->opened.resize(number + 1);
  watch->opened[number] = {area,
                           std::make_shared<const std::string>(path),
                           it.st_ino,
                           S_ISDIR(it.st_mode),
                           (flags & O_ACCMODE) != O_RDONLY,
                           is_mapped(area, path) ? map(descriptor, it) : nullptr};
}

// Keeps a way to undo what is not synced, because the power may fail after the engine has closed the file.
void forget(int descriptor) {
  const Opened file = known(descriptor);
  if (file.area == kAreas) return;
  watch->opened[static_cast<std::size_t>(descriptor)] = {};
  const auto found = watch->unsynced[file.area].find(file.inode);
  if (found == watch->unsynced[file.area].end() || found->second.descriptor >= 0 ||
      writing_descriptor(file.inode, file.area) >= 0)
    return;
  // Another open file, not a second descriptor of this one, which would keep a lock.
  const std::string again = "/proc/self/fd/" + std::to_string(descriptor);
  found->second.descriptor =
      static_cast<int>(kernel(SYS_openat, AT_FDCWD, again.c_str(), O_RDWR | O_CLOEXEC, 0));
}

std::string resolved(int directory, const char* path) {
  if (path[0] == '/') return path;
  const Opened base = known(directory);
  if (base.area == kAreas) return path;
  return std::strcmp(path, ".") == 0 ? *base.path : *base.path + "/" + path;
}

std::uint64_t size_of(int descriptor) {
  struct stat it {};
  kernel(SYS_fstat, descriptor, &it);
  return static_cast<std::uint64_t>(it.st_size);
}

// A hole that is touched in a mapping takes room, and the kernel ends who touches it where there is none.
bool may_map(const Opened& file) { return file.mapped != nullptr && watch->areas[file.area].room == 0; }

std::uint64_t size_of(int descriptor, const Opened& file) {
  return file.mapped != nullptr ? file.mapped->size : size_of(descriptor);
}

void keep(int descriptor, const Opened& file, std::uint64_t offset, std::uint64_t length) {
  if (!is_durable(*file.path)) return;
  const std::uint64_t size = size_of(descriptor, file);
  Unsynced& unsynced = watch->unsynced[file.area][file.inode];
  if (unsynced.changes.empty()) unsynced.order = ++watch->numbers;
  const std::size_t begin = unsynced.before.size();
  unsynced.before.resize(begin + length);
  if (offset < size && may_map(file))
    std::memcpy(unsynced.before.data() + begin, file.mapped->bytes + offset, std::min(length, size - offset));
  else if (offset < size)
    kernel(SYS_pread64, descriptor, unsynced.before.data() + begin, length, offset);
  for (std::uint64_t at = offset; at < offset + length;) {
    const std::uint64_t piece = std::min(kPage - at % kPage, offset + length - at);
    unsynced.changes.push_back({at, begin + (at - offset), piece, size});
    at += piece;
  }
  if (length == 0) unsynced.changes.push_back({offset, 0, 0, size});
}

std::string keep_file(std::size_t area, const std::string& path) {
  if (!is_durable(path)) return "";
  std::string kept = behind(area) + std::string(kRemoved) + "/" + std::to_string(++watch->numbers);
  return kernel(SYS_link, stored(area, path).c_str(), kept.c_str()) == 0 ? kept : "";
}

void sync_file(const Opened& file) {
  if (watch->broken.syncs && file.area != kState) return;
  const auto found = watch->unsynced[file.area].find(file.inode);
  if (found == watch->unsynced[file.area].end()) return;
  if (found->second.descriptor >= 0) kernel(SYS_close, found->second.descriptor);
  watch->unsynced[file.area].erase(found);
}

void sync_names(std::size_t area) {
  if (watch->broken.syncs && area != kState) return;
  for (const Naming& naming : watch->names[area])
    if (!naming.kept.empty()) kernel(SYS_unlink, naming.kept.c_str());
  watch->names[area].clear();
}

bool is_outside() { return outside > 0; }

Outside::Outside() { ++outside; }
Outside::~Outside() { --outside; }

void make() {
  static bool made = false;
  if (std::exchange(made, true)) ::umount2("/mnt", MNT_DETACH);
  mount_at("simulation", "/mnt", 0, "mode=0755");
  for (const std::string_view directory : {kBehind, kCopies}) std::filesystem::create_directory(directory);
  for (std::size_t area = 0; area < kAreas; ++area) {
    std::filesystem::create_directory(kRoots[area]);
    std::filesystem::create_directory(behind(area));
    std::filesystem::create_directory(copy_of(area));
    mount_at("simulation", behind(area), 0, ("mode=0755,size=" + std::to_string(kMostOfAnArea)).c_str());
    std::filesystem::create_directory(behind(area) + std::string(kRemoved));
    std::filesystem::create_directory(behind(area) + "/tree");
    mount_at((behind(area) + "/tree").c_str(), std::string(kRoots[area]), MS_BIND, nullptr);
  }
}

void begin(Order& order, Area (&areas)[kAreas], const Broken& broken) {
  watch = new Watch{order, areas, broken, {}, {}, {}, {}, {}, {}, {}, 0};
}

void lose_power() {
  const Outside past;
  for (std::size_t area = 0; area < kAreas; ++area) {
    std::vector<Unsynced*> files;
    for (auto& [inode, file] : watch->unsynced[area]) {
      if (file.descriptor < 0) file.descriptor = writing_descriptor(inode, area);
      files.push_back(&file);
    }
    std::ranges::sort(files, {}, &Unsynced::order);
    for (const Unsynced* file : files) undo(*file, watch->order.storage);
    auto& names = watch->names[area];
    const std::size_t survive = watch->order.storage.below(names.size() + 1);
    while (names.size() > survive) {
      undo(area, names.back());
      names.pop_back();
    }
    empty(behind(area) + std::string(kRemoved));
  }
}

void set_room(std::size_t area, std::uint64_t bytes) {
  const Outside past;
  watch->areas[area].room = bytes;
  struct statvfs space {};
  ::statvfs(behind(area).c_str(), &space);
  const std::uint64_t used = (space.f_blocks - space.f_bfree) * space.f_frsize;
  const std::string options = "size=" + std::to_string(bytes == 0 ? kMostOfAnArea : used + bytes);
  ::mount("simulation", behind(area).c_str(), "tmpfs", MS_REMOUNT, options.c_str());
}

void take_away(std::size_t area) {
  const Outside past;
  if (watch->areas[area].is_away) return;
  watch->areas[area].is_away = true;
  ::umount2(std::string(kRoots[area]).c_str(), MNT_DETACH);
}

void bring_back(std::size_t area) {
  const Outside past;
  if (!watch->areas[area].is_away) return;
  watch->areas[area].is_away = false;
  mount_at((behind(area) + "/tree").c_str(), std::string(kRoots[area]), MS_BIND, nullptr);
}

void keep_copy(std::size_t area) {
  const Outside past;
  empty(copy_of(area));
  copy_all(behind(area) + "/tree", copy_of(area));
}

void put_copy_back(std::size_t area) {
  const Outside past;
  set_room(area, 0);
  empty(behind(area) + "/tree");
  copy_all(copy_of(area), behind(area) + "/tree");
}

bool has_copy(std::size_t area) {
  const Outside past;
  return !std::filesystem::is_empty(copy_of(area));
}

Result<> await_answer(const std::string& path, std::optional<std::chrono::milliseconds> patience) {
  const std::size_t area = area_of(path);
  if (!is_watched(area)) return {};
  threads::point();
  const Area& condition = watch->areas[area];
  const std::int64_t until = patience ? watch->order.now + patience->count() * 1'000'000 : threads::kNever;
  while (watch->order.now < condition.hangs_until) {
    if (watch->order.now >= until) return fail(ETIMEDOUT, "{} does not answer", path);
    threads::wait(&condition, std::min(until, condition.hangs_until));
  }
  return {};
}

std::set<std::string> unfinished() {
  const Outside past;
  std::erase_if(watch->partial, [](const std::string& path) { return !std::filesystem::exists(path); });
  return watch->partial;
}

bool flip_bit(const std::string& directory, Dice& dice) {
  const Outside past;
  std::vector<std::string> images;
  const std::string stored_there = stored(area_of(directory), directory);
  if (!std::filesystem::exists(stored_there)) return false;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(stored_there))
    if (entry.path().extension() == ".qcow2") images.push_back(entry.path().string());
  if (images.empty()) return false;
  std::ranges::sort(images);
  const std::string& image = images[dice.below(images.size())];
  const int descriptor = static_cast<int>(kernel(SYS_openat, AT_FDCWD, image.c_str(), O_RDWR, 0));
  const std::uint64_t at = dice.below(std::max<std::uint64_t>(1, size_of(descriptor)));
  char byte = 0;
  kernel(SYS_pread64, descriptor, &byte, 1, at);
  byte = static_cast<char>(byte ^ (1 << dice.below(8)));
  kernel(SYS_pwrite64, descriptor, &byte, 1, at);
  kernel(SYS_close, descriptor);
  return true;
}

std::vector<Lost> take_lost() { return std::exchange(watch->lost, {}); }
std::set<std::string> take_changed() { return std::exchange(watch->changed, {}); }

}  // namespace holdfast::simulation::storage
