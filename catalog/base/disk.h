// The file system as the engine uses it: a Directory that confines every path, and Files with positions. Both
// are interfaces, so that a fake can drop unsynced bytes or run out of space (tests/lib/).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/base/bytes.h"
#include "catalog/base/error.h"
#include "catalog/base/fd.h"

namespace holdfast {

// One open file. Any thread may call; writers of overlapping ranges order themselves.
class File {
 public:
  virtual ~File() = default;

  // Reads until the buffer is full or the file ends; returns the number of bytes read.
  virtual Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const = 0;
  // Writes all of it or fails: a short write is an error here.
  virtual Result<> write_at(std::uint64_t offset, ByteView bytes) = 0;
  virtual Result<> truncate(std::uint64_t size) = 0;
  // Gives a range back to the file system; it reads as zeros afterwards. Size stays. EOPNOTSUPP if the file
  // system can't punch holes; the range is unchanged then.
  virtual Result<> punch(std::uint64_t offset, std::uint64_t length) = 0;
  virtual Result<> sync_data() = 0;
  virtual Result<std::uint64_t> size() const = 0;
  virtual Result<std::uint64_t> allocated() const = 0;  // bytes in use on disk

  // The name that it was opened by, for sentences.
  virtual const std::string& name() const = 0;
};

enum class Access { read, write };

// A directory and all below it. Paths are relative, '/'-separated, and may neither leave it nor
// pass a symbolic link (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS). Any thread may call.
class Directory {
 public:
  struct Entry {
    std::string name;
    bool is_directory = false;
  };

  virtual ~Directory() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, Access access) const = 0;
  virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;  // EEXIST if there
  virtual Result<> make_directory(const std::string& path) = 0;
  virtual Result<> rename(const std::string& from, const std::string& to) = 0;  // replaces a file
  virtual Result<> remove(const std::string& path) = 0;  // a file or an empty directory
  virtual Result<> sync(const std::string& path) = 0;    // the directory's own entries; "." for this one
  virtual Result<std::vector<Entry>> list(const std::string& path) const = 0;
  virtual Result<bool> exists(const std::string& path) const = 0;  // true for a symbolic link, too
  struct Space {
    std::uint64_t capacity = 0;
    std::uint64_t free = 0;
  };
  virtual Result<Space> space() const = 0;
};

// Wraps a descriptor that is open, of any kind that has positions. `name` is for sentences.
std::unique_ptr<File> file_of(Fd fd, std::string name);

// A directory of the host. ENOENT when it is missing.
Result<std::unique_ptr<Directory>> open_directory(const std::string& host_path);

// Small whole files, on any Directory.
Result<std::string> read_small_file(const Directory& directory, const std::string& path,
                                    std::size_t at_most = 16 * kMiB);
// Writes and syncs a new file. The caller syncs the directory.
Result<> write_new_file(Directory& directory, const std::string& path, std::string_view text);
// Replaces a file by rename; durable when it returns.
Result<> replace_file(Directory& directory, const std::string& path, std::string_view text);
// Makes the directory, durably, unless it is there.
Result<> make_if_missing(Directory& directory, const std::string& path);
// Removes a directory with all below it, a file or a symbolic link; a missing one is no error.
Result<> remove_tree(Directory& directory, const std::string& path);

}  // namespace holdfast
