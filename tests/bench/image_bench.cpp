// Measurements of images for tools/bench, as programs beside qemu-img:
//
//   image_bench write RAW IMAGE none|deflate|zstd
//       writes the raw file as an image
//   image_bench chain RAW IMAGE DEPTH
//       writes the raw file uncompressed, and increments on the image, IMAGE.1 to IMAGE.DEPTH-1, of 64 MiB of
//       random clusters each
//   image_bench read THREADS BYTES IMAGE...
//       reads the whole chain (newest first) in pieces of so many bytes, and checks every cluster
//   image_bench export RAW IMAGE...
//       writes the chain as a raw file
//   image_bench dense TIB IMAGE SUMS
//       writes a full of a disk without holes, of which IMAGE keeps only the tables. Prints memory in MiB:
//       OVER_POOL PEAK
//
// Sums of an image are in IMAGE.sums, unless the command names another file.
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include "catalog/base/disk.h"
#include "engine/image/stack.h"
#include "engine/image/writer.h"
#include "tests/lib/must.h"

namespace holdfast::image {
namespace {

using holdfast::test::must;

constexpr std::uint64_t kPiece = kMiB;
constexpr std::uint64_t kCluster = 65536;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "image_bench: {}\n", why);
  std::exit(EXIT_FAILURE);
}

std::unique_ptr<Directory> directory_of(const std::filesystem::path& path) {
  return must(open_directory(std::filesystem::absolute(path).parent_path().string()));
}
std::unique_ptr<File> open(const std::filesystem::path& path, Access access = Access::read) {
  return must(directory_of(path)->open(path.filename().string(), access));
}
std::unique_ptr<File> make(const std::filesystem::path& path) {
  std::filesystem::remove(path);
  return must(directory_of(path)->create(path.filename().string()));
}

std::shared_ptr<Stack> open_stack(std::span<const std::string> images) {
  std::vector<LayerFiles> layers;
  for (const std::string& image : images) layers.push_back({open(image), open(image + ".sums")});
  return must(Stack::open(std::move(layers)));
}

// Stretches of data in a raw file, without its holes.
class RawFile {
 public:
  explicit RawFile(const std::string& path)
      : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), size_(std::filesystem::file_size(path)) {
    if (file_ < 0) give_up("there is no " + path);
  }
  ~RawFile() { ::close(file_); }
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;

  std::uint64_t size() const { return size_; }
  std::uint64_t data_from(std::uint64_t offset) const { return seek(offset, SEEK_DATA); }
  std::uint64_t hole_from(std::uint64_t offset) const { return seek(offset, SEEK_HOLE); }
  void read(std::uint64_t offset, ByteSpan into) const {
    if (::pread(file_, into.data(), into.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(into.size()))
      give_up("the raw file can't be read");
  }

 private:
  std::uint64_t seek(std::uint64_t offset, int what) const {
    const off_t found = ::lseek(file_, static_cast<off_t>(offset), what);
    return found < 0 ? size_ : static_cast<std::uint64_t>(found);
  }

  const int file_;
  const std::uint64_t size_;
};

WriterOptions options_for(std::uint64_t size, Codec codec) {
  WriterOptions options;
  options.virtual_size = size;
  options.codec = codec;
  options.id = new_image_id();
  return options;
}

void write(const std::string& raw, const std::string& path, Codec codec) {
  const RawFile source(raw);
  const auto image = make(path), sums = make(path + ".sums");
  const auto writer = must(Writer::create(*image, *sums, options_for(source.size(), codec)));
  Bytes piece(kPiece);
  for (std::uint64_t start = 0; start < source.size(); start += Writer::kSegment) {
    const std::uint64_t end = std::min(start + Writer::kSegment, source.size());
    for (std::uint64_t at = start; (at = round_down(source.data_from(at), kCluster)) < end;) {
      const std::uint64_t stop = std::min(round_up(source.hole_from(at), kCluster), end);
      for (; at < stop; at += piece.size()) {
        piece.resize(std::min(kPiece, stop - at));
        source.read(at, piece);
        must(writer->write(at, piece));
      }
    }
    must(writer->finish_segment(start));
  }
  must(writer->finish());
}

void grow_chain(const std::string& raw, const std::string& path, unsigned depth) {
  write(raw, path, Codec::none);
  const std::uint64_t size = std::filesystem::file_size(raw);
  std::mt19937_64 random(depth);
  std::string below = path;
  for (unsigned layer = 1; layer < depth; ++layer) {
    const std::string above = fmt::format("{}.{}", path, layer);
    WriterOptions options = options_for(size, Codec::none);
    options.backing_file = std::filesystem::path(below).filename().string();
    const auto image = make(above), sums = make(above + ".sums");
    const auto writer = must(Writer::create(*image, *sums, options));
    std::map<std::uint64_t, Bytes> changed;
    while (changed.size() < 64 * kMiB / kCluster) {
      Bytes cluster(kCluster);
      for (std::size_t i = 0; i < cluster.size(); i += 8) store_be(cluster.data() + i, random());
      changed.emplace(round_down(random() % size, kCluster), std::move(cluster));
    }
    for (auto next = changed.begin(); next != changed.end();) {
      const std::uint64_t segment = round_down(next->first, Writer::kSegment);
      for (; next != changed.end() && next->first < segment + Writer::kSegment; ++next)
        must(writer->write(next->first, next->second));
      must(writer->finish_segment(segment));
    }
    must(writer->finish());
    below = above;
  }
}

void read(unsigned threads, std::uint64_t size, std::span<const std::string> images) {
  const auto stack = open_stack(images);
  std::atomic<std::uint64_t> next = 0;
  std::vector<std::jthread> readers;
  for (unsigned i = 0; i < threads; ++i)
    readers.emplace_back([&] {
      Bytes piece(size);
      for (std::uint64_t at = 0; (at = next.fetch_add(size)) < stack->size();)
        must(stack->read(at, ByteSpan{piece}.first(std::min(size, stack->size() - at))));
    });
}

void export_raw(const std::string& raw, std::span<const std::string> images) {
  const auto stack = open_stack(images);
  const auto file = make(raw);
  must(file->truncate(stack->size()));
  Bytes piece(kPiece);
  for (std::uint64_t at = 0; at < stack->size(); at += kPiece) {
    piece.resize(std::min(kPiece, stack->size() - at));
    must(stack->read(at, piece));
    if (!is_zero(piece)) must(file->write_at(at, piece));
  }
}

// Stores everything except the generator's clusters, which begin with the mark: no disk has room for them.
class TablesOnly final : public File {
 public:
  TablesOnly(File& file, ByteView mark) : file_(file), mark_(mark) {}

  Result<std::size_t> read_at(std::uint64_t offset, ByteSpan into) const override {
    return file_.read_at(offset, into);
  }
  Result<> write_at(std::uint64_t offset, ByteView bytes) override {
    const bool is_data = bytes.size() >= mark_.size() && std::ranges::equal(bytes.first(mark_.size()), mark_);
    return is_data ? Result<>{} : file_.write_at(offset, bytes);
  }
  Result<> truncate(std::uint64_t size) override { return file_.truncate(size); }
  Result<> punch(std::uint64_t offset, std::uint64_t length) override { return file_.punch(offset, length); }
  Result<> sync_data() override { return file_.sync_data(); }
  Result<std::uint64_t> size() const override { return file_.size(); }
  Result<std::uint64_t> allocated() const override { return file_.allocated(); }
  const std::string& name() const override { return file_.name(); }

 private:
  File& file_;
  const ByteView mark_;
};

std::uint64_t peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_maxrss) * kKiB;
}

void write_dense(std::uint64_t size, const std::string& image_path, const std::string& sums_path) {
  Bytes piece(kPiece);
  std::mt19937_64 random(1);
  for (std::size_t i = 0; i < piece.size(); i += 8) store_be(piece.data() + i, random());
  const auto file = make(image_path), sums = make(sums_path);
  TablesOnly image(*file, ByteView{piece}.first(64));
  const auto options = options_for(size, Codec::none);
  const auto writer = must(Writer::create(image, *sums, options));
  for (std::uint64_t at = 0; at < size; at += kPiece) {
    must(writer->write(at, piece));
    if ((at + kPiece) % Writer::kSegment == 0) must(writer->finish_segment(at));
  }
  must(writer->finish());
  // Pool: for each compressor a piece of 1 MiB in work, a waiting one, and its compressed output; two pieces
  // being filled.
  const std::uint64_t pool = (3 * options.compressors + 2) * kMiB;
  const std::uint64_t peak = peak_memory();
  fmt::print("{} {}\n", (peak - std::min(peak, pool)) / kMiB, peak / kMiB);
}

Codec codec_named(const std::string& name) {
  if (name == "none") return Codec::none;
  if (name == "deflate") return Codec::deflate;
  if (name == "zstd") return Codec::zstd;
  give_up("there is no codec '" + name + "'");
}

void run(std::span<const std::string> words) {
  const std::string what = words.empty() ? "" : words[0];
  if (what == "write" && words.size() == 4) return write(words[1], words[2], codec_named(words[3]));
  if (what == "chain" && words.size() == 4)
    return grow_chain(words[1], words[2], static_cast<unsigned>(std::stoul(words[3])));
  if (what == "read" && words.size() >= 4)
    return read(static_cast<unsigned>(std::stoul(words[1])), std::stoull(words[2]), words.subspan(3));
  if (what == "export" && words.size() >= 3) return export_raw(words[1], words.subspan(2));
  if (what == "dense" && words.size() == 4)
    return write_dense(std::stoull(words[1]) * kTiB, words[2], words[3]);
  give_up("the words that it takes are listed on top of its source");
}

}  // namespace
}  // namespace holdfast::image

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  holdfast::image::run(words);
}
