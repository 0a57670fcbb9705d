#include "engine/sources/nbd/served_image.h"

#include <libnbd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace holdfast::source::nbd {
namespace {

constexpr std::uint64_t kServedStatusStep = kGiB;  // the length of a block status request has 32 bits

}  // namespace

tl::unexpected<Error> ServedImage::failure() const {
  const int code = nbd_get_errno();
  return fail(code == ENOENT ? ENOENT : EIO, "asking QEMU for {}: {}", path_, nbd_get_error());
}

Result<std::unique_ptr<ServedImage>> ServedImage::open(const std::string& path) {
  nbd_handle* const handle = nbd_create();
  if (handle == nullptr) return fail(ENOMEM, "libnbd can't make a handle: {}", nbd_get_error());
  std::unique_ptr<ServedImage> image(new ServedImage(handle, path));
  if (nbd_add_meta_context(handle, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0) return image->failure();
  // The program inherits its socket, so no name must be waited for. It ends with its only client.
  std::string program = "qemu-nbd", read_only = "--read-only", format = "--format=qcow2", file = path;
  std::array<char*, 5> command = {program.data(), read_only.data(), format.data(), file.data(), nullptr};
  if (nbd_connect_systemd_socket_activation(handle, command.data()) != 0) return image->failure();
  const std::int64_t size = nbd_get_size(handle);
  if (size < 0) return image->failure();
  image->size_ = static_cast<std::uint64_t>(size);
  return image;
}

ServedImage::~ServedImage() {
  if (nbd_aio_is_ready(handle_) == 1) nbd_shutdown(handle_, 0);
  nbd_close(handle_);
}

Result<> ServedImage::read(std::uint64_t offset, ByteSpan into) {
  if (nbd_pread(handle_, into.data(), into.size(), offset, 0) != 0) return failure();
  return {};
}

Result<std::uint64_t> ServedImage::zeros(std::uint64_t offset, std::uint64_t at_most) {
  std::uint64_t known = 0;
  const auto on_status = [](void* user, const char*, std::uint64_t, std::uint32_t* entries, std::size_t count,
                            int*) {
    auto& sum = *static_cast<std::uint64_t*>(user);
    for (std::size_t i = 0; i + 1 < count && (entries[i + 1] & LIBNBD_STATE_ZERO) != 0; i += 2)
      sum += entries[i];
    return 0;
  };
  if (nbd_block_status(handle_, std::min(at_most, kServedStatusStep), offset,
                       {.callback = on_status, .user_data = &known, .free = nullptr}, 0) != 0)
    return failure();
  return std::min(known, at_most);
}

}  // namespace holdfast::source::nbd
