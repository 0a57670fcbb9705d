#include "engine/capture/import.h"

#include <algorithm>

#include "catalog/stores/machines.h"
#include "catalog/stores/points.h"
#include "catalog/stores/repositories.h"
#include "engine/foreign/foreign_image.h"
#include "engine/sources/as_it_is.h"

namespace holdfast::capture {
namespace {

class ImageReader final : public source::DiskReader {
 public:
  explicit ImageReader(foreign::ForeignImage& image) : image_(image) {}

  Result<std::vector<source::Extent>> extents(std::uint64_t offset, std::uint64_t length) override {
    std::vector<source::Extent> extents;
    for (const std::uint64_t end = offset + length; offset < end;) {
      HF_TRY(const auto found, image_.extent(offset, end - offset));
      extents.push_back({.offset = offset, .length = found.length, .zero = !found.data});
      offset += found.length;
    }
    return extents;
  }

  Result<> read(std::span<const source::Range> ranges, const Sink& sink,
                const source::Cancel& cancel) override {
    for (const source::Range& range : ranges) {
      const std::uint64_t end = range.offset + range.length;
      for (std::uint64_t at = range.offset; at < end;) {
        if (cancel.requested()) return fail(ECANCELED, "cancelled");
        const ByteSpan piece =
            ByteSpan{buffer_}.first(std::min(kMostOfAPiece - at % kMostOfAPiece, end - at));
        HF_CHECK(image_.read(at, piece));
        HF_CHECK(sink(at, piece));
        at += piece.size();
      }
    }
    return image_.check_unchanged();
  }

 private:
  foreign::ForeignImage& image_;
  Bytes buffer_ = Bytes(kMostOfAPiece);
};

// Nobody writes to the file, so that its content is one instant. Whether a guest had come to rest is unknown.
class ImageCapture final : public source::AsItIs {
 public:
  ImageCapture(std::unique_ptr<foreign::ForeignImage> image, const std::string& disk, Time now)
      : AsItIs(now, Consistency::crash), image_(std::move(image)) {
    disks_.push_back(
        {.name = disk, .capacity = image_->size(), .change_id = "", .full_reason = FullReason::no_parent});
  }

  Result<std::unique_ptr<source::DiskReader>> open(std::size_t) override {
    return std::make_unique<ImageReader>(*image_);
  }

 private:
  const std::unique_ptr<foreign::ForeignImage> image_;
};

}  // namespace

Result<> check_first_point(db::Connection& db, Id machine, Id repository) {
  HF_TRY(const auto newest, Points(db).newest(machine, repository));
  if (!newest) return {};
  HF_TRY(const std::string machine_name, Machines(db).name_of(machine));
  HF_TRY(const std::string repository_name, Repositories(db).name_of(repository));
  return fail(EEXIST,
              "machine '{}' has points in repository '{}' already, the newest is {}; an import makes a "
              "machine's first one: import into another machine, or into another repository",
              machine_name, repository_name, newest->name);
}

Result<std::unique_ptr<source::Capture>> capture_image(const ImportedImage& image, Time now) {
  HF_TRY(auto file, image.file->share());
  HF_TRY(auto opened, foreign::ForeignImage::open(std::move(file)));
  return std::make_unique<ImageCapture>(std::move(opened), image.disk, now);
}

}  // namespace holdfast::capture
