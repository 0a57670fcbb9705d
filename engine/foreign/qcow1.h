// The header and the tables of a version 1 image, parsed strictly. libqcow is asked only for clusters that
// this parser has found in the file.
//
//   header (48 bytes) → L1 table → L2 tables → clusters, plain or raw deflate with a window of 4 KiB
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "catalog/base/disk.h"
#include "catalog/base/error.h"

namespace holdfast::foreign {

// One thread at a time. Caches the last used table.
class Qcow1Tables {
 public:
  // Reads all tables once. EINVAL, naming the image: a table has an invalid entry, or points outside of the
  // file. ENOTSUP: the image may be sound, but libqcow would not read it correctly.
  static Result<std::unique_ptr<Qcow1Tables>> open(std::unique_ptr<File> image);

  std::uint64_t size() const { return size_; }  // the disk's
  std::uint64_t cluster_size() const { return std::uint64_t{1} << cluster_bits_; }

  struct Run {
    bool stored = false;  // in the file; otherwise it reads as zeros
    std::uint64_t length = 0;
  };
  // Returns the run at `offset`, at most `at_most` long. Both lie within the disk.
  Result<Run> run(std::uint64_t offset, std::uint64_t at_most);

 private:
  explicit Qcow1Tables(std::unique_ptr<File> image) : image_(std::move(image)) {}

  std::uint64_t table_entries() const { return std::uint64_t{1} << table_bits_; }
  std::uint64_t table_span() const { return table_entries() << cluster_bits_; }

  Result<> read_header();
  Result<> check_tables();
  Result<> check_entry(std::uint64_t entry, std::uint64_t cluster) const;
  Result<std::vector<std::uint64_t>> read_table(std::uint64_t offset, std::uint64_t entries) const;
  Result<> load_table(std::uint64_t number);

  const std::unique_ptr<File> image_;
  std::uint64_t file_size_ = 0;
  std::uint64_t size_ = 0;
  std::uint32_t cluster_bits_ = 0, table_bits_ = 0;  // table_bits_: log2 of the entries of an L2 table
  std::vector<std::uint64_t> l1_;
  std::vector<std::uint64_t> table_;   // the last used L2 table
  std::uint64_t loaded_ = UINT64_MAX;  // the number of that table
};

}  // namespace holdfast::foreign
