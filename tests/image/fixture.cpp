#include "tests/image/fixture.h"

#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

#include "catalog/base/id.h"
#include "engine/image/flat_view.h"

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

void Scratch::clear() {
  for (const auto& entry : std::filesystem::directory_iterator(path_)) std::filesystem::remove_all(entry);
}

CommandResult run_in(const Scratch& scratch, const std::string& command) {
  const std::string line = "cd '" + scratch.path("") + "' && { " + command + "; } 2>&1";
  FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("can't run " + command);
  CommandResult outcome;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) outcome.output.append(buffer, n);
  const int status = pclose(pipe);
  outcome.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return outcome;
}

std::string sh(const Scratch& scratch, const std::string& command) {
  const CommandResult outcome = run_in(scratch, command);
  if (outcome.status != 0) throw std::runtime_error(command + "\n" + outcome.output);
  return outcome.output;
}

void fill(Random& random, ByteSpan bytes, Content content) {
  constexpr std::string_view kText =
      "the quick brown fox jumps over the lazy dog; pack my box with five dozen liquor jugs; sphinx of black "
      "quartz";
  constexpr std::size_t kPhrase = 32;
  switch (content) {
    case Content::zeros: std::ranges::fill(bytes, std::byte{0}); return;
    case Content::random: random.fill(bytes); return;
    case Content::text:
      for (std::size_t i = 0; i < bytes.size(); i += kPhrase)
        std::memcpy(bytes.data() + i, kText.data() + random.below(kText.size() - kPhrase),
                    std::min(kPhrase, bytes.size() - i));
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
    // A patch stays within one segment.
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

SparseDisk::SparseDisk(Scratch& scratch, std::uint64_t size) : scratch_(scratch), size_(size) {
  must(scratch_.create("truth.raw")->truncate(size));
}

void SparseDisk::scatter(Random& random, std::uint64_t cluster, std::size_t count, std::uint64_t longest) {
  const auto truth = scratch_.open_to_write("truth.raw");
  const std::uint64_t stretch = round_down(size_ / count, cluster);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t offset = i * stretch + random.below(stretch / cluster) * cluster;
    const std::uint64_t segment_end = round_down(offset, Writer::kSegment) + Writer::kSegment;
    const std::uint64_t end =
        std::min({offset + random.between(1, longest) * cluster, (i + 1) * stretch, segment_end, size_});
    Bytes bytes(end - offset);
    fill(random, bytes, random.pick<Content>(kContents));
    must(truth->write_at(offset, bytes));
    patches_[offset] = std::move(bytes);
  }
}

void SparseDisk::write_to(Writer& writer) const {
  for (auto patch = patches_.begin(); patch != patches_.end();) {
    const std::uint64_t segment = patch->first / Writer::kSegment;
    for (; patch != patches_.end() && patch->first / Writer::kSegment == segment; ++patch)
      must(writer.write(patch->first, patch->second));
    must(writer.finish_segment(segment * Writer::kSegment));
  }
}

std::string SparseDisk::difference(const Stack& stack) const {
  const auto truth = scratch_.open("truth.raw");
  for (const auto& [offset, bytes] : patches_) {
    const std::uint64_t from = offset - std::min<std::uint64_t>(offset, 5000);
    const std::uint64_t length = std::min(offset + bytes.size() + 5000, size_) - from;
    Bytes expected(length), found(length);
    must(truth->read_at(from, expected));
    must(stack.read(from, found));
    if (const auto at = first_difference(found, expected)) return fmt::format("differs at {}", from + *at);
  }
  return "";
}

std::string SparseDisk::qemu_difference(const std::string& name) const {
  return run_in(scratch_, fmt::format("qemu-img check -q -f qcow2 {} && "
                                      "qemu-img compare -q -f qcow2 -F raw {} truth.raw",
                                      name, name))
      .output;
}

LayerFiles layer_files(const Scratch& scratch, const std::string& name, Sums sums) {
  return {scratch.open(name), sums == Sums::with ? scratch.open(name + ".sums") : nullptr};
}

std::shared_ptr<Stack> open_stack(const Scratch& scratch, const std::vector<std::string>& names, Sums sums) {
  std::vector<LayerFiles> layers;
  for (const std::string& name : names) layers.push_back(layer_files(scratch, name, sums));
  return must(Stack::open(std::move(layers)));
}

Bytes flat_bytes(const std::shared_ptr<Stack>& stack) {
  const auto view = std::make_shared<FlatView>(stack, must(FlatView::size_of(*stack)));
  Bytes bytes(view->size());
  must(view->read(0, bytes));
  return bytes;
}

std::optional<std::uint64_t> first_difference(ByteView a, ByteView b) {
  // Skips equal blocks at the speed of memcmp, also in builds without optimisation.
  constexpr std::size_t kBlock = 4096;
  const std::size_t both = std::min(a.size(), b.size());
  std::size_t at = 0;
  while (both - at >= kBlock && std::memcmp(a.data() + at, b.data() + at, kBlock) == 0) at += kBlock;
  while (at < both && a[at] == b[at]) ++at;
  return at == a.size() && at == b.size() ? std::nullopt : std::optional<std::uint64_t>{at};
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
  if (const CommandResult check = run_in(scratch, "qemu-img check -q -f qcow2 " + name); check.status != 0)
    return "qemu-img check: " + check.output;
  if (const CommandResult convert =
          run_in(scratch, "qemu-img convert -f qcow2 -O raw " + name + " converted.raw");
      convert.status != 0)
    return "qemu-img convert: " + convert.output;
  // QEMU's disks are whole sectors.
  Bytes padded = disk;
  padded.resize(round_up<std::size_t>(disk.size(), 512));
  if (const auto at = first_difference(scratch.read("converted.raw"), padded))
    return fmt::format("qemu-img convert differs at {}", *at);
  scratch.write("truth.raw", disk);
  const CommandResult compare = run_in(scratch, "qemu-img compare -q -f qcow2 -F raw " + name + " truth.raw");
  return compare.status == 0 ? "" : "qemu-img compare: " + compare.output;
}

}  // namespace holdfast::image::test
