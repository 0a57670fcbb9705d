#include "fsd/tree/open_directories.h"

#include <utility>

namespace holdfast::tree {
namespace {

std::size_t memory_of(const std::vector<DirectoryEntry>& entries) {
  std::size_t bytes = sizeof(Listing) + entries.capacity() * sizeof(DirectoryEntry);
  for (const DirectoryEntry& entry : entries) bytes += entry.name.capacity();
  return bytes;
}

}  // namespace

Result<std::shared_ptr<const Listing>> OpenDirectories::share(const TreeNode& directory, const Asker& reader,
                                                              std::vector<DirectoryEntry> entries) {
  const Key key{directory, reader_of(reader)};
  std::shared_ptr<const Listing> known;
  {
    const MutexLock lock(mutex_);
    known = listings_.find(key);
  }
  if (known && known->entries == entries) return known;
  HF_TRY(auto share, holdings_.bytes(reader.uid, memory_of(entries)));
  auto made = std::make_shared<const Listing>(Listing{std::move(entries), std::move(share)});
  const MutexLock lock(mutex_);
  listings_.put(key, made);
  return made;
}

}  // namespace holdfast::tree
