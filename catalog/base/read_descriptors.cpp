#include "catalog/base/read_descriptors.h"

#include <utility>

namespace holdfast {
namespace {

// A server of files may give the number of a deleted file to a new one, so the time of the last change
// counts, too.
bool is_same_file(const Fd& fd, const struct stat& status) {
  struct stat its {};
  return ::fstat(fd.get(), &its) == 0 && its.st_dev == status.st_dev && its.st_ino == status.st_ino &&
         its.st_ctim.tv_sec == status.st_ctim.tv_sec && its.st_ctim.tv_nsec == status.st_ctim.tv_nsec;
}

}  // namespace

std::shared_ptr<const Fd> ReadDescriptors::share(const std::string& path, Fd fresh,
                                                 const struct stat& status) {
  std::shared_ptr<const Fd> known;
  {
    const MutexLock lock(mutex_);
    known = shared_.find(path);
  }
  // Asks the file system without the lock, because it may hang.
  if (known && is_same_file(*known, status)) return known;
  auto ours = std::make_shared<const Fd>(std::move(fresh));
  const MutexLock lock(mutex_);
  shared_.put(path, ours);
  return ours;
}

ReadDescriptors& read_descriptors() {
  static auto& all = *new ReadDescriptors;  // never destroyed, because readers may end after main()
  return all;
}

}  // namespace holdfast
