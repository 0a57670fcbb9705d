#include "engine/sources/file/image.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "catalog/base/disk.h"
#include "catalog/model/json_text.h"
#include "catalog/model/json_value.h"
#include "engine/foreign/facts.h"
#include "engine/sources/file/reader.h"
#include "engine/sources/nbd/reader.h"
#include "engine/sources/whole_qcow2.h"

namespace holdfast::source::file {
namespace {

constexpr std::size_t kFirstBytes = 512;

// QEMU locks byte 101 of an image that it writes to.
constexpr off_t kWriterByte = 101;

// A file system without locks can't have a QEMU that holds one.
Result<> check_no_writer(const ImageName& name, int fd) {
  if (name.shared) return {};
  struct flock writer {};
  writer.l_type = F_WRLCK;
  writer.l_whence = SEEK_SET;
  writer.l_start = kWriterByte;
  writer.l_len = 1;
  if (::fcntl(fd, F_OFD_GETLK, &writer) != 0 || writer.l_type == F_UNLCK) return {};
  return fail(EBUSY,
              "{} is open for writing in a QEMU: back its machine up with \"driver\": \"qmp\", or name a "
              "snapshot of the file{}",
              name.path,
              name.format == ImageFormat::raw ? ", or say \"shared\": true to read it while it changes" : "");
}

// Returns a File of its own, because a File closes its descriptor.
Result<std::unique_ptr<File>> file_again(const DiskFile& disk) {
  Fd copy{::fcntl(disk.fd.get(), F_DUPFD_CLOEXEC, 0)};
  if (!copy) return fail_errno("opening {} again", disk.path);
  return file_of(std::move(copy), disk.path);
}

}  // namespace

Result<> check_format(const ImageName& name, ByteView start) {
  const foreign::Format found = foreign::format_of(start);
  if (name.format == ImageFormat::qcow2) {
    if (found == foreign::Format::qcow2) return {};
    return fail(EINVAL, "{} is no qcow2 image: its first bytes are those of {}", name.path,
                found == foreign::Format::raw ? "a raw disk" : fmt::format("a {} image", to_word(found)));
  }
  // A guest may have put LUKS on the whole of its raw disk.
  if (found == foreign::Format::raw || found == foreign::Format::luks) return {};
  return fail(EINVAL, "{} is a {} image, not a raw disk: {}", name.path, to_word(found),
              found == foreign::Format::qcow2
                  ? "say \"format\": \"qcow2\""
                  : fmt::format("convert it with qemu-img convert -O raw {} NEW, and name NEW", name.path));
}

Result<Image> Image::open(const ImageName& name) {
  HF_TRY(DiskFile file, open_disk(name.path));
  Image image(name, std::move(file));
  const int fd = image.file_->fd.get();
  HF_CHECK(check_no_writer(name, fd));
  if (::fstat(fd, &image.opened_) != 0) return fail_errno("looking at {}", name.path);
  std::array<std::byte, kFirstBytes> start;
  const ssize_t length = ::pread(fd, start.data(), start.size(), 0);
  if (length < 0) return fail_errno("reading {}", name.path);
  HF_CHECK(check_format(name, ByteView{start}.first(static_cast<std::size_t>(length))));
  image.capacity_ = image.file_->size;
  if (name.format == ImageFormat::qcow2) HF_CHECK(image.check_qcow2());
  return image;
}

// Refuses other files that the image names: whoever may write to the image could name any file of the host,
// and read that file in a point (law 19).
Result<> Image::check_qcow2() {
  HF_TRY(const auto file, file_again(*file_));
  HF_TRY(const foreign::Facts facts, foreign::look_at(*file));
  const auto flatten =
      fmt::format("flatten it with qemu-img convert -O qcow2 {} NEW, and name NEW", name_.path);
  if (!facts.backing_file.empty())
    return fail(EINVAL, "{} has the backing file {}, which is not read: {}", name_.path, facts.backing_file,
                flatten);
  if (!facts.data_file.empty())
    return fail(EINVAL, "{} has its data in another file, {}, which is not read: {}", name_.path,
                facts.data_file, flatten);
  if (facts.encryption != foreign::Encryption::none)
    return fail(EINVAL, "{} is encrypted ({}), and its key is not known here", name_.path,
                to_word(facts.encryption));
  if (facts.corrupt)
    return fail(EIO, "{} is marked as corrupt: repair it with qemu-img check -r all {}", name_.path,
                name_.path);
  if (facts.virtual_size == 0) return fail(EINVAL, "{} holds a disk without bytes", name_.path);
  if (auto whole = check_holds_all_clusters(*file); !whole)
    return within(std::move(whole).error(), "{}", name_.path);
  capacity_ = facts.virtual_size;
  return {};
}

Result<> Image::check_idle() const {
  HF_CHECK(check_no_writer(name_, file_->fd.get()));
  if (name_.format == ImageFormat::raw) return {};
  struct stat now {};
  if (::fstat(file_->fd.get(), &now) != 0) return fail_errno("looking at {}", name_.path);
  const auto same = [](const timespec& one, const timespec& other) {
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
  };
  if (same(now.st_mtim, opened_.st_mtim) || file_->is_device) return {};
  return fail(EBUSY, "{} was written to while it was read, and its tables may have changed: try again",
              name_.path);
}

// The descriptor leads to the very file that was checked, whatever the path leads to by now.
nbd::Export Image::served(const std::string& bitmap) const {
  const json::Json node = {{"driver", "qcow2"},
                           {"force-share", true},
                           {"backing", nullptr},
                           {"file",
                            {{"driver", file_->is_device ? "host_device" : "file"},
                             {"filename", fmt::format("/proc/{}/fd/{}", ::getpid(), file_->fd.get())}}}};
  nbd::Export served{.name = name_.path, .bitmap = bitmap, .size = capacity_};
  served.command = {"qemu-nbd", "--read-only"};
  if (!bitmap.empty()) served.command.push_back("--bitmap=" + bitmap);
  served.command.push_back("json:" + node.dump());
  return served;
}

Result<std::unique_ptr<nbd::Connection>> Image::serve(const nbd::Limits& limits,
                                                      const std::string& bitmap) const {
  return nbd::Connection::open(served(bitmap), limits);
}

std::unique_ptr<DiskReader> Image::reader(const nbd::Limits& limits, const std::string& bitmap,
                                          std::unique_ptr<nbd::Connection> connection) const {
  if (name_.format == ImageFormat::raw) return std::make_unique<Reader>(file_);
  return std::make_unique<nbd::Reader>(served(bitmap), limits, std::move(connection));
}

Driver::Discovered discover_in(const std::string& disk, const ImageName& image, const std::string& why_not) {
  const auto opened = Image::open(image);
  if (!opened) return {disk, 0, false, opened.error().message};
  return {disk, opened->capacity(), false, why_not};
}

}  // namespace holdfast::source::file
