#include "engine/foreign/foreign_image.h"

#include <algorithm>

#include "engine/foreign/qcow1.h"
#include "engine/foreign/ways.h"
#include "engine/image/largest_disk.h"
#include "engine/image/stack.h"

namespace holdfast::foreign {
namespace {

// An image of version 2 or 3.
class StackImage final : public ForeignImage {
 public:
  StackImage(ImageFile file, Facts facts, std::shared_ptr<image::Stack> stack)
      : ForeignImage(std::move(file), std::move(facts)), stack_(std::move(stack)) {}

  std::uint64_t size() const override { return stack_->size(); }
  Result<> read(std::uint64_t offset, ByteSpan into) override { return stack_->read(offset, into); }
  Result<Extent> extent(std::uint64_t offset, std::uint64_t at_most) override {
    HF_TRY(const image::ReadExtent found, stack_->extent(offset, at_most));
    return Extent{found.kind == image::ReadExtent::Kind::data, found.length};
  }

 private:
  const std::shared_ptr<image::Stack> stack_;
};

// An image of version 1.
class Qcow1Image final : public ForeignImage {
 public:
  Qcow1Image(ImageFile file, Facts facts, std::unique_ptr<Qcow1Tables> tables,
             std::unique_ptr<ReaderProcess> reader)
      : ForeignImage(std::move(file), std::move(facts)),
        tables_(std::move(tables)),
        reader_(std::move(reader)) {}

  std::uint64_t size() const override { return tables_->size(); }

  Result<> read(std::uint64_t offset, ByteSpan into) override {
    if (into.size() > size() || offset > size() - into.size())
      return fail(EINVAL, "{} bytes at {} do not lie on a disk of {} bytes", into.size(), offset, size());
    while (!into.empty()) {
      HF_TRY(const Qcow1Tables::Run run, tables_->run(offset, into.size()));
      const ByteSpan part = into.first(run.length);
      if (run.stored)
        HF_CHECK(reader_->read(offset, part, tables_->cluster_size()));
      else
        std::ranges::fill(part, std::byte{0});
      offset += run.length;
      into = into.subspan(run.length);
    }
    return {};
  }

  Result<Extent> extent(std::uint64_t offset, std::uint64_t at_most) override {
    if (offset >= size())
      return fail(EINVAL, "offset {} is beyond the end of a disk of {} bytes", offset, size());
    HF_TRY(const Qcow1Tables::Run run, tables_->run(offset, std::min(at_most, size() - offset)));
    return Extent{run.stored, run.length};
  }

 private:
  const std::unique_ptr<Qcow1Tables> tables_;
  const std::unique_ptr<ReaderProcess> reader_;
};

Result<std::unique_ptr<ForeignImage>> open_stack(ImageFile file, Facts facts) {
  std::vector<image::LayerFiles> layers(1);
  HF_TRY(layers.front().image, file.file());
  HF_TRY(auto stack, image::Stack::open(std::move(layers)));
  return std::make_unique<StackImage>(std::move(file), std::move(facts), std::move(stack));
}

Result<std::unique_ptr<ForeignImage>> open_qcow1(ImageFile file, Facts facts, const ReaderOptions& options) {
  HF_TRY(auto own, file.file());
  HF_TRY(auto tables, Qcow1Tables::open(std::move(own)));
  HF_TRY(auto reader, ReaderProcess::start(file, options));
  if (reader->version() != 1 || reader->size() != tables->size())
    return fail(EIO,
                "libqcow reads {} as version {} with {} bytes, but its header says version 1 with {} bytes",
                file.path(), reader->version(), reader->size(), tables->size());
  return std::make_unique<Qcow1Image>(std::move(file), std::move(facts), std::move(tables),
                                      std::move(reader));
}

}  // namespace

Result<std::unique_ptr<ForeignImage>> ForeignImage::open(ImageFile file, const ReaderOptions& options) {
  HF_TRY(const auto start, file.file());
  HF_TRY(const Facts facts, look_at(*start));
  const std::string path = file.path();
  HF_CHECK(check_readable(path, facts));
  auto image =
      facts.version == 1 ? open_qcow1(std::move(file), facts, options) : open_stack(std::move(file), facts);
  if (!image) return tl::unexpected(with_way(path, facts, image.error()));
  // A few megabytes of tables can claim so many bytes that nobody lives to see them counted.
  if ((*image)->size() > image::kLargestDisk)
    return fail(EINVAL, "{} claims a disk of {} bytes; at most {} are read", path, (*image)->size(),
                image::kLargestDisk);
  if (const auto counted = (*image)->count_stored(); !counted)
    return tl::unexpected(with_way(path, facts, counted.error()));
  return image;
}

Result<> ForeignImage::count_stored() {
  for (std::uint64_t at = 0; at < size();) {
    HF_TRY(const Extent extent, this->extent(at, size() - at));
    if (extent.data) stored_ += extent.length;
    at += extent.length;
  }
  return {};
}

}  // namespace holdfast::foreign
