// Helpers of the image tests: a temporary directory, QEMU's tools, disks of random content.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "catalog/base/disk.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"
#include "tests/lib/must.h"
#include "tests/lib/random.h"

namespace holdfast::image::test {

using holdfast::test::must;
using holdfast::test::Random;
using holdfast::test::tries;

inline constexpr Codec kCodecs[] = {Codec::zstd, Codec::deflate, Codec::none};
// Returns one codec by the seed, or all with HOLDFAST_LONG.
inline std::vector<Codec> codecs_to_try(Random& random) {
  if (tries(0, 1) == 0) return {random.pick<Codec>(kCodecs)};
  return {std::begin(kCodecs), std::end(kCodecs)};
}

// Returns the error; a value fails the test.
template <class T>
Error error_of(const Result<T>& result) {
  if (result) throw std::runtime_error("this was expected to fail");
  return result.error();
}

// A temporary directory, removed with its content.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  Directory& directory() { return *directory_; }
  std::string path(const std::string& name) const { return (path_ / name).string(); }
  std::unique_ptr<File> create(const std::string& name) { return must(directory_->create(name)); }
  std::unique_ptr<File> open(const std::string& name) const {
    return must(directory_->open(name, Access::read));
  }
  std::unique_ptr<File> open_to_write(const std::string& name) {
    return must(directory_->open(name, Access::write));
  }
  Bytes read(const std::string& name) const;
  void write(const std::string& name, ByteView bytes);  // creates or replaces the file
  void clear();                                         // removes everything in the directory

 private:
  std::filesystem::path path_;
  std::unique_ptr<Directory> directory_;
};

// The result of a shell command in the directory, with its output.
struct CommandResult {
  int status = 0;
  std::string output;
};
CommandResult run_in(const Scratch& scratch, const std::string& command);
// Runs a command that must succeed; returns its output.
std::string sh(const Scratch& scratch, const std::string& command);

// The kind of content of a stretch of a disk.
enum class Content { zeros, random, text, sparse, constant };
constexpr Content kContents[] = {Content::zeros, Content::random, Content::text, Content::sparse,
                                 Content::constant};
void fill(Random& random, ByteSpan bytes, Content content);

// Whole clusters of a disk that a layer stores.
struct Patch {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool as_zero = false;  // written by Writer::zero
};

WriterOptions options(std::uint64_t virtual_size, std::uint32_t cluster_size, Codec codec = Codec::zstd);

// Returns patches that don't touch each other, and puts new content for them into `disk`.
std::vector<Patch> random_patches(Random& random, Bytes& disk, std::uint64_t cluster, std::size_t about);
std::vector<Patch> all_of(const Bytes& disk);

// Writes the patches of `disk`, each segment's in random order.
void write_patches(Writer& writer, Random& random, const Bytes& disk, std::vector<Patch> patches);
WriterSummary write_image(File& image, File& sums, Random& random, const WriterOptions& options,
                          const Bytes& disk, const std::vector<Patch>& patches);
// Writes NAME and NAME.sums.
WriterSummary write_image(Scratch& scratch, const std::string& name, Random& random,
                          const WriterOptions& options, const Bytes& disk, const std::vector<Patch>& patches);

// A disk too large for memory, with little data: its patches, and a sparse raw file of the same content
// (truth.raw).
class SparseDisk {
 public:
  SparseDisk(Scratch& scratch, std::uint64_t size);
  // Adds `count` patches of up to `longest` clusters at random offsets.
  void scatter(Random& random, std::uint64_t cluster, std::size_t count, std::uint64_t longest);
  void write_to(Writer& writer) const;
  // Compares the patches and their surroundings as difference() does.
  std::string difference(const Stack& stack) const;
  std::string qemu_difference(const std::string& name) const;

 private:
  Scratch& scratch_;
  const std::uint64_t size_;
  std::map<std::uint64_t, Bytes> patches_;  // by offset; patches neither overlap nor cross a segment's end
};

enum class Sums { with, without };
LayerFiles layer_files(const Scratch& scratch, const std::string& name, Sums sums = Sums::with);
// Opens the layers, newest first.
std::shared_ptr<Stack> open_stack(const Scratch& scratch, const std::vector<std::string>& names,
                                  Sums sums = Sums::with);

// Reads the stack's whole flat view.
Bytes flat_bytes(const std::shared_ptr<Stack>& stack);

// Returns the first byte that differs, or that only one has; nothing if they are equal.
std::optional<std::uint64_t> first_difference(ByteView a, ByteView b);
// Reads the stack as a whole and in random pieces. Returns "" if it holds exactly `disk`; otherwise a
// sentence with the place.
std::string difference(const Stack& stack, const Bytes& disk, Random& random);
// Checks the image with QEMU, and compares its content (with its backing files). Returns "" if it holds
// `disk`; otherwise a sentence.
std::string qemu_difference(Scratch& scratch, const std::string& name, const Bytes& disk);

}  // namespace holdfast::image::test
