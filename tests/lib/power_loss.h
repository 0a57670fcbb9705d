// A disk that records every operation, and computes the content that a power loss at any operation could
// leave.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/lib/memory_directory.h"
#include "tests/lib/random.h"

namespace holdfast::test {

// Operations on a disk, in order. Any thread may record.
class Journal {
 public:
  struct Operation {
    enum Kind {
      write,
      truncate,
      punch,
      sync_file,
      create,
      make_directory,
      rename,
      remove,
      sync_directory
    } kind;
    std::uint64_t file = 0;  // set for the first four kinds and for create
    std::uint64_t offset = 0, length = 0;
    Bytes bytes;
    std::string path, to;

    bool is_of_a_file() const { return kind <= sync_file; }
  };

  void record(Operation operation) {
    const std::lock_guard lock(mutex_);
    operations_.push_back(std::move(operation));
  }
  std::uint64_t new_file() {
    const std::lock_guard lock(mutex_);
    return ++files_;
  }
  const std::vector<Operation>& operations() const { return operations_; }

  // Returns the tree after a power loss that follows the first `count` operations. Synced data is there. Each
  // page of 4 KiB of an unsynced write, and each unsynced change of a size, survives with this chance (in
  // percent). Of unsynced names and directories a random number of the first ones survives, because file
  // systems journal them in order.
  MemoryDirectory::Tree after_power_loss(std::size_t count, unsigned percent, Random& random) const {
    std::size_t names_kept = count;
    for (std::size_t i = count; i-- > 0 && operations_[i].kind != Operation::sync_directory;)
      if (!operations_[i].is_of_a_file() && random.below(100) >= percent) names_kept = i;
    std::map<std::uint64_t, std::size_t> synced;  // by file: operations before this number are synced
    for (std::size_t i = 0; i < count; ++i)
      if (operations_[i].kind == Operation::sync_file) synced[operations_[i].file] = i;
    MemoryDirectory::Tree tree;
    std::map<std::uint64_t, std::shared_ptr<MemoryFile>> files;
    for (std::size_t i = 0; i < count; ++i) {
      const Operation& operation = operations_[i];
      if (operation.kind == Operation::create)
        files[operation.file] = std::make_shared<MemoryFile>(operation.path);
      if (operation.is_of_a_file()) {
        apply(*files[operation.file], operation, i < synced[operation.file] ? 100 : percent, random);
      } else if (i < names_kept) {
        apply(tree, operation, files);
      }
    }
    return tree;
  }

 private:
  static constexpr std::uint64_t kPage = 4096;

  static void apply(MemoryFile& file, const Operation& operation, unsigned percent, Random& random) {
    const auto kept = [&] { return random.below(100) < percent; };
    switch (operation.kind) {
      case Operation::write:
        for (std::uint64_t at = 0; at < operation.bytes.size();) {
          const std::uint64_t length =
              std::min<std::uint64_t>(kPage - (operation.offset + at) % kPage, operation.bytes.size() - at);
          if (kept())
            (void)file.write_at(operation.offset + at, ByteView{operation.bytes}.subspan(at, length));
          at += length;
        }
        break;
      case Operation::truncate:
        if (kept()) (void)file.truncate(operation.length);
        break;
      case Operation::punch:
        if (kept()) (void)file.punch(operation.offset, operation.length);
        break;
      default: break;
    }
  }

  static void apply(MemoryDirectory::Tree& tree, const Operation& operation,
                    const std::map<std::uint64_t, std::shared_ptr<MemoryFile>>& files) {
    MemoryDirectory directory(std::move(tree));
    switch (operation.kind) {
      case Operation::make_directory: (void)directory.make_directory(operation.path); break;
      case Operation::rename: (void)directory.rename(operation.path, operation.to); break;
      case Operation::remove: (void)directory.remove(operation.path); break;
      default: break;
    }
    tree = directory.take();
    if (operation.kind == Operation::create) tree[operation.path] = files.at(operation.file);
  }

  mutable std::mutex mutex_;
  std::vector<Operation> operations_;
  std::uint64_t files_ = 0;
};

// Passes operations on to the given file and records them. With `forgets_syncs` no sync is recorded, as on a
// disk that lies: a negative control of tests.
class RecordingFile final : public File {
 public:
  RecordingFile(std::unique_ptr<File> file, std::uint64_t number, Journal& journal, bool forgets_syncs)
      : file_(std::move(file)), number_(number), journal_(journal), forgets_syncs_(forgets_syncs) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    return file_->read_at(offset, into);
  }
  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    HF_CHECK(file_->write_at(offset, bytes));
    Journal::Operation operation{Journal::Operation::write};
    operation.file = number_;
    operation.offset = offset;
    operation.bytes.assign(bytes.begin(), bytes.end());
    journal_.record(std::move(operation));
    return {};
  }
  Result<> truncate(std::uint64_t size) override {
    HF_CHECK(file_->truncate(size));
    return record(Journal::Operation::truncate, 0, size);
  }
  Result<> punch(std::uint64_t offset, std::uint64_t length) override {
    HF_CHECK(file_->punch(offset, length));
    return record(Journal::Operation::punch, offset, length);
  }
  Result<> sync_data() override {
    return forgets_syncs_ ? Result<>{} : record(Journal::Operation::sync_file, 0, 0);
  }
  Result<std::uint64_t> size() const override { return file_->size(); }
  Result<std::uint64_t> allocated() const override { return file_->allocated(); }
  const std::string& name() const override { return file_->name(); }

 private:
  Result<> record(Journal::Operation::Kind kind, std::uint64_t offset, std::uint64_t length) {
    Journal::Operation operation{kind};
    operation.file = number_;
    operation.offset = offset;
    operation.length = length;
    journal_.record(std::move(operation));
    return {};
  }

  const std::unique_ptr<File> file_;
  const std::uint64_t number_;
  Journal& journal_;
  const bool forgets_syncs_;
};

// A tree in memory whose changes are recorded. Every file must be created through this tree; others are
// unknown to the journal. The journal must outlive the tree.
class RecordingDirectory final : public Directory {
 public:
  explicit RecordingDirectory(Journal& journal, bool forgets_syncs = false)
      : journal_(journal), forgets_syncs_(forgets_syncs) {}

  Result<std::unique_ptr<File>> create(const std::string& path) override {
    HF_TRY(auto file, tree_.create(path));
    const std::uint64_t number = journal_.new_file();
    Journal::Operation operation{Journal::Operation::create};
    operation.file = number;
    operation.path = path;
    journal_.record(std::move(operation));
    numbers_[path] = number;
    return std::make_unique<RecordingFile>(std::move(file), number, journal_, forgets_syncs_);
  }
  Result<std::unique_ptr<File>> open(const std::string& path, Access access) const override {
    HF_TRY(auto file, tree_.open(path, access));
    return std::make_unique<RecordingFile>(std::move(file), numbers_.at(path), journal_, forgets_syncs_);
  }
  Result<> make_directory(const std::string& path) override {
    HF_CHECK(tree_.make_directory(path));
    return record(Journal::Operation::make_directory, path, "");
  }
  Result<> rename(const std::string& from, const std::string& to) override {
    HF_CHECK(tree_.rename(from, to));
    std::map<std::string, std::uint64_t> moved;
    for (const auto& [path, number] : numbers_) {
      const bool moves = path == from || path.starts_with(from + "/");
      if (moves || (path != to && !path.starts_with(to + "/")))
        moved[moves ? to + path.substr(from.size()) : path] = number;
    }
    numbers_ = std::move(moved);
    return record(Journal::Operation::rename, from, to);
  }
  Result<> remove(const std::string& path) override {
    HF_CHECK(tree_.remove(path));
    return record(Journal::Operation::remove, path, "");
  }
  Result<> sync(const std::string& path) override {
    return forgets_syncs_ ? Result<>{} : record(Journal::Operation::sync_directory, path, "");
  }
  Result<std::vector<Entry>> list(const std::string& path) const override { return tree_.list(path); }
  Result<bool> exists(const std::string& path) const override { return tree_.exists(path); }
  Result<Space> space() const override { return tree_.space(); }

 private:
  Result<> record(Journal::Operation::Kind kind, const std::string& path, const std::string& to) {
    Journal::Operation operation{kind};
    operation.path = path;
    operation.to = to;
    journal_.record(std::move(operation));
    return {};
  }

  MemoryDirectory tree_;
  std::map<std::string, std::uint64_t> numbers_;
  Journal& journal_;
  const bool forgets_syncs_;
};

}  // namespace holdfast::test
