// What the tests of images share: a directory that goes away, QEMU's tools, disks of random content.
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
#include "tests/lib/random.h"

namespace holdfast::image::test {

using holdfast::test::Random;
using holdfast::test::tries;

inline constexpr Codec kCodecs[] = {Codec::zstd, Codec::deflate, Codec::none};

// The value, or a failed test that shows the error.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(*result);
}
inline void must(const Result<>& result) {
  if (!result) throw std::runtime_error(result.error().message);
}
// The error, or a failed test.
template <class T>
Error error_of(const Result<T>& result) {
  if (result) throw std::runtime_error("this was expected to fail");
  return result.error();
}

// A directory of its own, removed with all in it.
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
  void write(const std::string& name, ByteView bytes);  // a new file, or in the place of an old one
  void clear();                                         // removes all that is in it

 private:
  std::filesystem::path path_;
  std::unique_ptr<Directory> directory_;
};

// A shell command in the directory; what it says goes into `output`.
struct Outcome {
  int status = 0;
  std::string output;
};
Outcome run_in(const Scratch& scratch, const std::string& command);
// The same, which must succeed; returns what it says.
std::string sh(const Scratch& scratch, const std::string& command);

// What a stretch of a disk looks like.
enum class Content { zeros, random, text, sparse, constant };
constexpr Content kContents[] = {Content::zeros, Content::random, Content::text, Content::sparse,
                                 Content::constant};
void fill(Random& random, ByteSpan bytes, Content content);

// Whole clusters of a disk that a layer has.
struct Patch {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  bool as_zero = false;  // by Writer::zero
};

WriterOptions options(std::uint64_t virtual_size, std::uint32_t cluster_size, Codec codec = Codec::zstd);

// Patches that don't touch each other, with new content for them in `disk`.
std::vector<Patch> random_patches(Random& random, Bytes& disk, std::uint64_t cluster, std::size_t about);
std::vector<Patch> all_of(const Bytes& disk);

// Hands the patches of `disk` to a writer, each segment's in random order.
void write_patches(Writer& writer, Random& random, const Bytes& disk, std::vector<Patch> patches);
WriterSummary write_image(File& image, File& sums, Random& random, const WriterOptions& options,
                          const Bytes& disk, const std::vector<Patch>& patches);
// Into NAME and NAME.sums.
WriterSummary write_image(Scratch& scratch, const std::string& name, Random& random,
                          const WriterOptions& options, const Bytes& disk, const std::vector<Patch>& patches);

// A disk too large to hold in memory, with a little data: what is in it, and a sparse raw file of the same
// (truth.raw).
class SparseDisk {
 public:
  SparseDisk(Scratch& scratch, std::uint64_t size);
  // `count` patches of up to `longest` clusters at random places.
  void scatter(Random& random, std::uint64_t cluster, std::size_t count, std::uint64_t longest);
  void write_to(Writer& writer) const;
  // Like difference(), of the patches and what is around them.
  std::string difference(const Stack& stack) const;
  std::string qemu_difference(const std::string& name) const;

 private:
  Scratch& scratch_;
  const std::uint64_t size_;
  std::map<std::uint64_t, Bytes> patches_;  // by offset; they neither overlap nor cross a segment's end
};

enum class Sums { with, without };
LayerFiles layer_files(const Scratch& scratch, const std::string& name, Sums sums = Sums::with);
// Newest first.
std::shared_ptr<Stack> open_stack(const Scratch& scratch, const std::vector<std::string>& names,
                                  Sums sums = Sums::with);

// All of its flat view.
Bytes flat_bytes(const std::shared_ptr<Stack>& stack);

// The first byte that differs, or that only one has; nothing when they are equal.
std::optional<std::uint64_t> first_difference(ByteView a, ByteView b);
// The stack, read as a whole and in random pieces, holds exactly this; otherwise a sentence says where not.
std::string difference(const Stack& stack, const Bytes& disk, Random& random);
// QEMU finds the image without fault and its content (with its backing files) this; otherwise it says what
// not.
std::string qemu_difference(Scratch& scratch, const std::string& name, const Bytes& disk);

}  // namespace holdfast::image::test
