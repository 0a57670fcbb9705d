// A file system in memory: a Directory for tests that need no host.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "catalog/base/disk.h"
#include "tests/lib/memory_file.h"

namespace holdfast::test {

// The map holds files by path; a null entry is a directory. A path's parents must be added before the path.
// Not thread-safe.
class MemoryDirectory final : public Directory {
 public:
  using Tree = std::map<std::string, std::shared_ptr<MemoryFile>>;

  MemoryDirectory() = default;
  explicit MemoryDirectory(Tree tree) : tree_(std::move(tree)) {}

  // From now on opening any file fails with that errno.
  void fail_opens_with(int code) { failing_opens_ = code; }

  Result<std::unique_ptr<File>> open(const std::string& path, Access) const override {
    if (failing_opens_ != 0)
      return fail(failing_opens_, "opening {}: {}", path, describe_errno(failing_opens_));
    const auto found = tree_.find(path);
    if (found == tree_.end()) return fail(ENOENT, "opening {}: there is none", path);
    if (!found->second) return fail(EISDIR, "opening {}: it is a directory", path);
    return std::make_unique<Handle>(found->second);
  }

  Result<std::unique_ptr<File>> create(const std::string& path) override {
    HF_CHECK(check_new(path));
    tree_[path] = std::make_shared<MemoryFile>(path);
    return open(path, Access::write);
  }

  Result<> make_directory(const std::string& path) override {
    HF_CHECK(check_new(path));
    tree_[path] = nullptr;
    return {};
  }

  Result<> rename(const std::string& from, const std::string& to) override {
    if (!tree_.contains(from)) return fail(ENOENT, "renaming {}: there is none", from);
    tree_.erase(to);
    Tree moved;
    for (const auto& [path, file] : tree_)
      if (path == from || path.starts_with(from + "/")) moved[to + path.substr(from.size())] = file;
    std::erase_if(tree_,
                  [&](const auto& each) { return each.first == from || each.first.starts_with(from + "/"); });
    tree_.merge(moved);
    return {};
  }

  Result<> remove(const std::string& path) override {
    const auto found = tree_.find(path);
    if (found == tree_.end()) return fail(ENOENT, "removing {}: there is none", path);
    const auto next = std::next(found);
    if (next != tree_.end() && next->first.starts_with(path + "/"))
      return fail(ENOTEMPTY, "removing {}: it is not empty", path);
    tree_.erase(found);
    return {};
  }

  Result<> sync(const std::string&) override { return {}; }

  Result<std::vector<Entry>> list(const std::string& path) const override {
    const std::string prefix = path == "." ? "" : path + "/";
    std::vector<Entry> entries;
    for (const auto& [name, file] : tree_)
      if (name.starts_with(prefix) && name.find('/', prefix.size()) == std::string::npos)
        entries.push_back({name.substr(prefix.size()), file == nullptr});
    return entries;
  }

  Tree take() { return std::move(tree_); }

  Result<bool> exists(const std::string& path) const override { return path == "." || tree_.contains(path); }
  Result<Space> space() const override { return Space{kTiB, kTiB}; }

 private:
  // An open file survives the removal of its name.
  class Handle final : public File {
   public:
    explicit Handle(std::shared_ptr<MemoryFile> file) : file_(std::move(file)) {}
    Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
      return file_->read_at(offset, into);
    }
    Result<> write_at(std::uint64_t offset, ByteView bytes) override {
      return file_->write_at(offset, bytes);
    }
    Result<> truncate(std::uint64_t size) override { return file_->truncate(size); }
    Result<> punch(std::uint64_t offset, std::uint64_t length) override {
      return file_->punch(offset, length);
    }
    Result<> sync_data() override { return {}; }
    Result<std::uint64_t> size() const override { return file_->size(); }
    Result<std::uint64_t> allocated() const override { return file_->allocated(); }
    const std::string& name() const override { return file_->name(); }

   private:
    std::shared_ptr<MemoryFile> file_;
  };

  Result<> check_new(const std::string& path) const {
    if (tree_.contains(path)) return fail(EEXIST, "creating {}: it is there", path);
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return {};
    const auto parent = tree_.find(path.substr(0, slash));
    if (parent == tree_.end() || parent->second)
      return fail(ENOENT, "creating {}: there is no such directory", path);
    return {};
  }

  Tree tree_;  // sorted: a directory comes before its content
  int failing_opens_ = 0;
};

}  // namespace holdfast::test
