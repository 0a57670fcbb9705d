#include "engine/foreign/reader/libqcow_image.h"

#include <unistd.h>

#include <array>

#include "engine/foreign/protocol.h"
#include "engine/foreign/reader/libbfio.h"

namespace holdfast::foreign {
namespace {

// The image as a file with a position, for libbfio. There is only one, so its handles carry no data.
struct {
  std::uint64_t size = 0;
  off64_t position = 0;
  bool open = false;
} image;

int free_handle(std::intptr_t** handle, libqcow_error_t**) {
  *handle = nullptr;
  return 1;
}

int clone_handle(std::intptr_t**, std::intptr_t*, libqcow_error_t**) { return -1; }

int open_handle(std::intptr_t*, int, libqcow_error_t**) {
  image.open = true;
  image.position = 0;
  return 1;
}

int close_handle(std::intptr_t*, libqcow_error_t**) {
  image.open = false;
  return 0;
}

ssize_t read_handle(std::intptr_t*, std::uint8_t* into, std::size_t size, libqcow_error_t**) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(protocol::kImage, into + done, size - done, image.position);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
    image.position += n;
  }
  return static_cast<ssize_t>(done);
}

ssize_t write_handle(std::intptr_t*, const std::uint8_t*, std::size_t, libqcow_error_t**) { return -1; }

off64_t seek_handle(std::intptr_t*, off64_t offset, int whence, libqcow_error_t**) {
  if (whence == SEEK_CUR && __builtin_add_overflow(offset, image.position, &offset)) return -1;
  if (whence == SEEK_END && __builtin_add_overflow(offset, static_cast<off64_t>(image.size), &offset))
    return -1;
  if (offset < 0) return -1;
  return image.position = offset;
}

int handle_exists(std::intptr_t*, libqcow_error_t**) { return 1; }

int handle_is_open(std::intptr_t*, libqcow_error_t**) { return image.open; }

int get_handle_size(std::intptr_t*, size64_t* size, libqcow_error_t**) {
  *size = image.size;
  return 1;
}

// Returns libqcow's error, on one line.
tl::unexpected<Error> fail_with(libqcow_error_t* error, const char* doing) {
  std::array<char, 160> text{};
  if (error == nullptr || libqcow_error_sprint(error, text.data(), text.size()) < 0) text[0] = '\0';
  libqcow_error_free(&error);
  return fail(EIO, "{}: libqcow says: {}", doing, text[0] == '\0' ? "nothing" : text.data());
}

}  // namespace

Result<LibqcowImage> LibqcowImage::open(std::uint64_t file_size) {
  image.size = file_size;
  static std::intptr_t handle = 0;
  std::intptr_t* file_io = nullptr;
  LibqcowImage opened;
  libqcow_error_t* error = nullptr;
  if (libbfio_handle_initialize(&file_io, &handle, free_handle, clone_handle, open_handle, close_handle,
                                read_handle, write_handle, seek_handle, handle_exists, handle_is_open,
                                get_handle_size, 0, &error) != 1 ||
      libqcow_file_initialize(&opened.file_, &error) != 1)
    return fail_with(error, "beginning");
  if (libqcow_file_open_file_io_handle(opened.file_, file_io, libqcow_get_access_flags_read(), &error) != 1)
    return fail_with(error, "opening it");
  if (libqcow_file_get_format_version(opened.file_, &opened.version_, &error) != 1 ||
      libqcow_file_get_media_size(opened.file_, &opened.size_, &error) != 1)
    return fail_with(error, "asking for its version and size");
  return opened;
}

Result<> LibqcowImage::read(std::uint64_t offset, ByteSpan into) {
  libqcow_error_t* error = nullptr;
  const ssize_t got = libqcow_file_read_buffer_at_offset(file_, into.data(), into.size(),
                                                         static_cast<off64_t>(offset), &error);
  if (got < 0) return fail_with(error, "reading");
  if (static_cast<std::size_t>(got) != into.size())
    return fail(EIO, "libqcow gave {} bytes, not {}", got, into.size());
  return {};
}

}  // namespace holdfast::foreign
