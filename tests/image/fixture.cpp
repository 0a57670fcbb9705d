#include "tests/image/fixture.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "catalog/base/id.h"

namespace holdfast::image::test {

Scratch::Scratch() : path_(std::filesystem::temp_directory_path() / ("holdfast-image-" + random_hex(8))) {
  std::filesystem::create_directory(path_);
  directory_ = must(open_directory(path_.string()));
}

Scratch::~Scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Bytes Scratch::read(const std::string& name) const {
  const auto file = open(name);
  Bytes bytes(must(file->size()));
  if (must(file->read_at(0, bytes)) != bytes.size()) throw std::runtime_error(name + " got shorter");
  return bytes;
}

void Scratch::write(const std::string& name, ByteView bytes) {
  const std::filesystem::path place = path_ / name;
  std::ofstream file(place, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("can't write " + place.string());
}

Outcome run_in(const Scratch& scratch, const std::string& command) {
  const std::string line = "cd '" + scratch.path("") + "' && { " + command + "; } 2>&1";
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("can't run " + command);
  Outcome outcome;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) outcome.output.append(buffer, n);
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::string sh(const Scratch& scratch, const std::string& command) {
  const Outcome outcome = run_in(scratch, command);
  if (outcome.status != 0) throw std::runtime_error(command + "\n" + outcome.output);
  return outcome.output;
}

void fill(Random& random, ByteSpan bytes, Content content) {
  constexpr std::string_view kText = "the quick brown fox jumps over the lazy dog; ";
  switch (content) {
    case Content::zeros: std::ranges::fill(bytes, std::byte{0}); return;
    case Content::random: random.fill(bytes); return;
    case Content::text:
      for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::byte>(kText[(i + random.below(3)) % kText.size()]);
      return;
    case Content::sparse:
      std::ranges::fill(bytes, std::byte{0});
      for (std::size_t i = random.below(5000); i < bytes.size(); i += 1 + random.below(5000))
        bytes[i] = static_cast<std::byte>(random.next());
      return;
    case Content::constant: std::ranges::fill(bytes, static_cast<std::byte>(random.between(1, 255))); return;
  }
}

WriterOptions options(std::uint64_t virtual_size, std::uint32_t cluster_size, Codec codec) {
  WriterOptions options;
  options.virtual_size = virtual_size;
  options.cluster_size = cluster_size;
  options.codec = codec;
  options.id = new_image_id();
  return options;
}

std::vector<Patch> random_patches(Random& random, Bytes& disk, std::uint64_t cluster, std::size_t about) {
  const std::uint64_t clusters = divide_up<std::uint64_t>(disk.size(), cluster);
  std::vector<Patch> patches;
  std::uint64_t first = 0;
  while (clusters != 0) {
    first += random.below(2 * clusters / (about + 1) + 1);
    if (first >= clusters) break;
    const std::uint64_t last = std::min(clusters, first + 1 + random.below(clusters / (4 * about + 1) + 2));
    // A patch stays in one segment.
    const std::uint64_t segment_end = round_down(first * cluster, Writer::kSegment) + Writer::kSegment;
    const std::uint64_t end = std::min({last * cluster, segment_end, std::uint64_t{disk.size()}});
    const Content content = random.pick<Content>(kContents);
    fill(random, ByteSpan{disk}.subspan(first * cluster, end - first * cluster), content);
    patches.push_back(
        {first * cluster, end - first * cluster, content == Content::zeros && random.one_in(2)});
    first = last;
  }
  return patches;
}

std::vector<Patch> all_of(const Bytes& disk) {
  std::vector<Patch> patches;
  for (std::uint64_t at = 0; at < disk.size(); at += Writer::kSegment)
    patches.push_back({at, std::min<std::uint64_t>(Writer::kSegment, disk.size() - at), false});
  return patches;
}

void write_patches(Writer& writer, Random& random, const Bytes& disk, std::vector<Patch> patches) {
  const auto segment_of = [](const Patch& patch) { return patch.offset / Writer::kSegment; };
  std::ranges::shuffle(patches, random.engine());
  std::ranges::stable_sort(patches, {}, segment_of);
  for (std::size_t i = 0; i < patches.size(); ++i) {
    const Patch& patch = patches[i];
    must(patch.as_zero ? writer.zero(patch.offset, patch.length)
                       : writer.write(patch.offset, ByteView{disk}.subspan(patch.offset, patch.length)));
    if (i + 1 == patches.size() || segment_of(patches[i + 1]) != segment_of(patch))
      must(writer.finish_segment(patch.offset));
  }
}

WriterSummary write_image(File& image, File& sums, Random& random, const WriterOptions& options,
                          const Bytes& disk, const std::vector<Patch>& patches) {
  const auto writer = must(Writer::create(image, sums, options));
  write_patches(*writer, random, disk, patches);
  return must(writer->finish());
}

WriterSummary write_image(Scratch& scratch, const std::string& name, Random& random,
                          const WriterOptions& options, const Bytes& disk,
                          const std::vector<Patch>& patches) {
  const auto image = scratch.create(name);
  const auto sums = scratch.create(name + ".sums");
  return write_image(*image, *sums, random, options, disk, patches);
}

LayerFiles layer_files(const Scratch& scratch, const std::string& name, Sums sums) {
  return {scratch.open(name), sums == Sums::with ? scratch.open(name + ".sums") : nullptr};
}

std::shared_ptr<Stack> open_stack(const Scratch& scratch, const std::vector<std::string>& names, Sums sums) {
  std::vector<LayerFiles> layers;
  for (const std::string& name : names) layers.push_back(layer_files(scratch, name, sums));
  return must(Stack::open(std::move(layers)));
}

std::optional<std::uint64_t> first_difference(ByteView a, ByteView b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  if (in_a == a.end() && in_b == b.end()) return std::nullopt;
  return static_cast<std::uint64_t>(in_a - a.begin());
}

std::string difference(const Stack& stack, const Bytes& disk, Random& random) {
  if (stack.size() != disk.size()) return fmt::format("{} bytes instead of {}", stack.size(), disk.size());
  Bytes found(disk.size());
  must(stack.read(0, found));
  if (const auto at = first_difference(found, disk)) return fmt::format("all at once: differs at {}", *at);
  for (int i = 0; i < 50 && !disk.empty(); ++i) {
    const std::uint64_t offset = random.below(disk.size());
    const std::uint64_t longest = random.one_in(2) ? 300'000 : 5000;
    const std::uint64_t length = random.below(std::min<std::uint64_t>(longest, disk.size() - offset) + 1);
    Bytes piece(length);
    must(stack.read(offset, piece));
    if (const auto at = first_difference(piece, ByteView{disk}.subspan(offset, length)))
      return fmt::format("{} bytes at {}: differs at {}", length, offset, offset + *at);
  }
  return "";
}

std::string qemu_difference(Scratch& scratch, const std::string& name, const Bytes& disk) {
  if (const Outcome check = run_in(scratch, "qemu-img check -q -f qcow2 " + name); check.status != 0)
    return "qemu-img check: " + check.output;
  if (const Outcome convert = run_in(scratch, "qemu-img convert -f qcow2 -O raw " + name + " converted.raw");
      convert.status != 0)
    return "qemu-img convert: " + convert.output;
  // QEMU's disks are whole sectors.
  Bytes padded = disk;
  padded.resize(round_up<std::size_t>(disk.size(), 512));
  if (const auto at = first_difference(scratch.read("converted.raw"), padded))
    return fmt::format("qemu-img convert differs at {}", *at);
  scratch.write("truth.raw", disk);
  const Outcome compare = run_in(scratch, "qemu-img compare -q -f qcow2 -F raw " + name + " truth.raw");
  return compare.status == 0 ? "" : "qemu-img compare: " + compare.output;
}

}  // namespace holdfast::image::test
