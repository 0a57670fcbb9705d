// holdfast-qcow: reads one qcow image of version 1 with libqcow, for Holdfast only.
//
// libqcow reads past its buffers, or loops, when an image is broken. It can harm only this process, which is
// confined before it begins (confinement.h) and reads one cluster at a time (protocol.h). Its parent kills it
// when it takes too long (reader_process.h).
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "engine/foreign/protocol.h"
#include "engine/foreign/reader/confinement.h"
#include "engine/foreign/reader/libqcow_image.h"

namespace holdfast::foreign {
namespace {

// Exits without an orderly shutdown, because a sanitizer's search for leaks needs forbidden system calls.
[[noreturn]] void end(int status) { ::_exit(status); }

// A socket that fails means that the parent has gone.
void receive(ByteSpan into) {
  while (!into.empty()) {
    const ssize_t n = ::read(protocol::kSocket, into.data(), into.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) end(EXIT_SUCCESS);
    into = into.subspan(static_cast<std::size_t>(n));
  }
}

void send(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(protocol::kSocket, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) end(EXIT_SUCCESS);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

template <class Message>
ByteSpan bytes_of(Message& message) {
  return std::as_writable_bytes(std::span{&message, 1});
}

protocol::Answer refusal(const Error& error) {
  protocol::Answer answer;
  answer.code = static_cast<std::uint32_t>(error.code);
  const std::size_t length = std::min(error.message.size(), answer.reason.size() - 1);
  std::ranges::copy_n(error.message.begin(), static_cast<std::ptrdiff_t>(length), answer.reason.begin());
  return answer;
}

Result<LibqcowImage> open_confined() {
  struct stat status {};
  if (::fstat(protocol::kImage, &status) != 0) return fail_errno("looking at the image");
  const off_t end_of_file = S_ISBLK(status.st_mode) ? ::lseek(protocol::kImage, 0, SEEK_END) : status.st_size;
  if (end_of_file < 0) return fail_errno("asking for the size of the image");
  HF_CHECK(confine());
  return LibqcowImage::open(static_cast<std::uint64_t>(end_of_file));
}

Result<> read(LibqcowImage& image, const protocol::Request& request, Bytes& into) {
  if (request.length == 0 || request.length > protocol::kLongestRead)
    return fail(EINVAL, "{} bytes can't be read at once", request.length);
  into.resize(request.length);
  return image.read(request.offset, into);
}

[[noreturn]] void serve() {
  auto image = open_confined();
  protocol::Answer opened;
  if (image) {
    opened.version = image->version();
    opened.size = image->size();
  } else {
    opened = refusal(image.error());
  }
  send(bytes_of(opened));
  if (!image) end(EXIT_FAILURE);

  Bytes data;
  for (;;) {
    protocol::Request request;
    receive(bytes_of(request));
    const auto done = read(*image, request, data);
    protocol::Answer answer = done ? protocol::Answer{} : refusal(done.error());
    send(bytes_of(answer));
    if (done) send(data);
  }
}

}  // namespace
}  // namespace holdfast::foreign

int main() { holdfast::foreign::serve(); }
