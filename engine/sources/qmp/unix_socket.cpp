#include "engine/sources/qmp/unix_socket.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>

#include "catalog/base/host_path.h"

namespace holdfast::source::qmp {

Result<Fd> connect_unix(const std::string& path, std::string_view what, const Deadline& deadline) {
  HF_CHECK(look_up(path, std::chrono::milliseconds{std::max(deadline.milliseconds(), 1)}));
  return connect_at(path, path, what, deadline);
}

Result<Fd> connect_at(const std::string& place, const std::string& path, std::string_view what,
                      const Deadline& deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (place.size() >= sizeof address.sun_path)
    return fail(ENAMETOOLONG, "the path of {} {} has {} bytes; a socket's path may have {}", what, path,
                place.size(), sizeof address.sun_path - 1);
  place.copy(address.sun_path, place.size());
  Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd) return fail_errno("making a socket");
  const int left = std::max(deadline.milliseconds(), 1);  // 0 would mean no limit to the kernel
  const timeval patience{.tv_sec = left / 1000, .tv_usec = left % 1000 * 1000};
  if (::setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0)
    return fail_errno("setting a socket's patience");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) return fail_errno("setting up {} {}", what, path);
    return fd;
  }
  switch (errno) {
    case ENOENT:
      return fail(ENOENT, "there is no {} {}: the machine is not running, or has it elsewhere", what, path);
    case ECONNREFUSED: return fail(ECONNREFUSED, "nobody listens at {} {}: QEMU has gone", what, path);
    case EAGAIN: return fail(EBUSY, "too many programs already wait for {} {}", what, path);
    default: return fail_errno("connecting to {} {}", what, path);
  }
}

Result<> send_all(const Fd& socket, std::string_view text, const Deadline& deadline) {
  while (!text.empty()) {
    const ssize_t n = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) return fail(errno, "{}", describe_errno(errno));
    if (deadline.passed()) return fail(ETIMEDOUT, "{}", describe_errno(ETIMEDOUT));
    pollfd wait{socket.get(), POLLOUT, 0};
    if (::poll(&wait, 1, deadline.milliseconds()) < 0 && errno != EINTR)
      return fail(errno, "{}", describe_errno(errno));
  }
  return {};
}

}  // namespace holdfast::source::qmp
