#pragma once

#include <functional>
#include <memory>

#include "engine/reading/opened_image.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::tree {

// A disk of a point, sparse: clusters that no layer has, or that are recorded as zeros, are holes.
class ImageFile final : public OpenFile {
 public:
  // Called with each failed read, because the reader itself gets only the errno.
  using Failed = std::function<void(const Error& error)>;
  ImageFile(std::shared_ptr<OpenedImage> image, Failed failed)
      : image_(std::move(image)), failed_(std::move(failed)) {}

  Result<std::size_t> read(std::uint64_t offset, ByteSpan into) override;
  Result<std::uint64_t> seek(std::uint64_t offset, Seek what) override;
  // A part of what the caches of its layers may take: readers of one image share them.
  static constexpr std::size_t kKept = 64 * kKiB;
  std::size_t kept() const override { return kKept; }

 private:
  const std::shared_ptr<OpenedImage> image_;
  const Failed failed_;
};

}  // namespace holdfast::tree
