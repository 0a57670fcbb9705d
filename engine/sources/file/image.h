// An image file or block device of this host as the disk that it holds.
//
// Nothing here keeps a QEMU from opening the image (law 8): no lock is held, and qemu-nbd opens it as shared.
// Instead each read is followed by a check that the image was idle until then.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "catalog/model/enumerations.h"
#include "engine/sources/file/disk_file.h"
#include "engine/sources/nbd/connection.h"

namespace holdfast::source::file {

enum class ImageFormat { raw, qcow2 };

struct ImageName {
  std::string path;
  ImageFormat format = ImageFormat::raw;
  bool shared = false;  // other programs may write to it meanwhile; raw images only
};

// EINVAL if the first bytes of a file are those of another format. A qcow2 image that was read as a raw disk
// would be a backup that nobody can boot from.
Result<> check_format(const ImageName& name, ByteView start);

// Any thread may call.
class Image {
 public:
  // EINVAL: the file has another format, or qemu-nbd would read other files with it. EBUSY: a QEMU has it
  // open for writing. EIO: it was cut off.
  static Result<Image> open(const ImageName& name);

  const DiskFile& file() const { return *file_; }
  // The capacity of the disk, not the size of the file.
  std::uint64_t capacity() const { return capacity_; }
  // EBUSY if the image may have changed since open(): a QEMU has it open for writing, or a qcow2 image has
  // another time of its last change.
  Result<> check_idle() const;
  // Starts a qemu-nbd, read-only, and connects. `bitmap`: a dirty bitmap of the image; "": none.
  Result<std::unique_ptr<nbd::Connection>> serve(const nbd::Limits& limits, const std::string& bitmap) const;
  // Returns a reader of the disk, without checks. `connection`: of serve(), or null; null for raw images.
  std::unique_ptr<DiskReader> reader(const nbd::Limits& limits, const std::string& bitmap,
                                     std::unique_ptr<nbd::Connection> connection) const;

 private:
  Image(ImageName name, DiskFile file)
      : name_(std::move(name)), file_(std::make_shared<const DiskFile>(std::move(file))) {}
  Result<> check_qcow2();
  nbd::Export served(const std::string& bitmap) const;

  ImageName name_;
  std::shared_ptr<const DiskFile> file_;
  std::uint64_t capacity_ = 0;
  struct stat opened_ {};
};

// Describes a disk by its image, which does not tell what changes, for the reason in `why_not`.
Driver::Discovered discover_in(const std::string& disk, const ImageName& image, const std::string& why_not);

}  // namespace holdfast::source::file

namespace holdfast {
HF_WORDS(source::file::ImageFormat, "", "raw", "qcow2");
}
