#include "engine/sources/nbd/connection.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include <array>
#include <charconv>

#include "catalog/base/fd.h"
#include "catalog/base/host_path.h"
#include "catalog/base/waits.h"
#include "engine/common/deadline.h"

namespace holdfast::source::nbd {
namespace {

// Hangs up on a server whose handshake has no end, because libnbd keeps each context that the server grants,
// and has no limit for them. While it lives, it counts libnbd's steps by the messages for debugging: one for
// each, and some hundred for the handshake of an honest server.
class Handshake {
 public:
  explicit Handshake(nbd_handle* handle) : handle_(handle) {
    const auto on_step = [](void* user, const char*, const char*) {
      auto& its = *static_cast<Handshake*>(user);
      if (++its.steps_ > kMostSteps && its.fd_ >= 0) ::shutdown(its.fd_, SHUT_RDWR);
      return 0;
    };
    nbd_set_debug_callback(handle, {.callback = on_step, .user_data = this, .free = nullptr});
    nbd_set_debug(handle, true);
  }
  ~Handshake() {
    nbd_set_debug(handle_, false);
    nbd_clear_debug_callback(handle_);
  }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  void use_present_socket() { fd_ = nbd_aio_get_fd(handle_); }
  bool has_no_end() const { return steps_ > kMostSteps; }

 private:
  static constexpr int kMostSteps = 10'000;

  nbd_handle* const handle_;
  int fd_ = -1;
  int steps_ = 0;
};

// Polls until `goes_on` returns no 1; false if the deadline passes first. ECANCELED after a cancel.
Result<bool> poll_while(nbd_handle* handle, int (*goes_on)(nbd_handle*), const Deadline& deadline,
                        const Cancel* cancel, Handshake* handshake = nullptr) {
  while (goes_on(handle) == 1) {
    if (handshake != nullptr) handshake->use_present_socket();
    if (cancel != nullptr && cancel->requested()) return fail(ECANCELED, "cancelled");
    if (deadline.passed()) return false;
    if (nbd_poll(handle, deadline.or_in(kLookAtCancel).milliseconds()) < 0) break;
  }
  return true;
}

// Waits until the peer has hung up; false if the deadline passes first.
bool await_hang_up(const Fd& socket, const Deadline& deadline) {
  std::array<char, 512> ignored;
  while (!deadline.passed()) {
    pollfd waited{.fd = socket.get(), .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, deadline.milliseconds()) <= 0) continue;
    const ssize_t got = ::recv(socket.get(), ignored.data(), ignored.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
  }
  return false;
}

}  // namespace

std::string Export::label() const {
  if (!command.empty()) return fmt::format("{} of {}", command.front(), name);
  return uri.empty() ? fmt::format("NBD export {} at {}", name, socket) : uri;
}

std::vector<std::string> paths_in(const std::string& uri) {
  std::vector<std::string> paths;
  for (auto at = uri.find('?'); at != std::string::npos; at = uri.find('&', at + 1)) {
    const auto equals = uri.find('=', at);
    if (equals == std::string::npos) break;
    std::string path;
    for (std::size_t i = equals + 1; i < uri.size() && uri[i] != '&'; ++i) {
      unsigned code = 0;
      const bool is_encoded =
          uri[i] == '%' &&
          std::from_chars(uri.data() + i + 1, uri.data() + std::min(i + 3, uri.size()), code, 16).ec ==
              std::errc{};
      path += is_encoded ? static_cast<char>(code) : uri[i];
      if (is_encoded) i += 2;
    }
    if (path.starts_with('/')) paths.push_back(std::move(path));
  }
  return paths;
}

Result<bool> answers(const std::string& socket, const Limits& limits) {
  may_wait(socket);
  const std::unique_ptr<nbd_handle, decltype(&nbd_close)> handle(nbd_create(), nbd_close);
  if (!handle) return fail(ENOMEM, "libnbd can't make a handle: {}", nbd_get_error());
  const Deadline deadline = Deadline::in(limits.connect);
  nbd_set_opt_mode(handle.get(), true);
  const auto hangs = [&] { return fail(ETIMEDOUT, "the NBD server at {} does not answer", socket); };
  if (nbd_aio_connect_unix(handle.get(), socket.c_str()) == 0) {
    HF_TRY(const bool answered, poll_while(handle.get(), nbd_aio_is_connecting, deadline, limits.cancel));
    if (!answered) return hangs();
  }
  if (nbd_aio_is_negotiating(handle.get()) != 1) return false;
  // libnbd closes its socket as soon as it has sent the abort. This one stays until the server has let go.
  const Fd ours(::fcntl(nbd_aio_get_fd(handle.get()), F_DUPFD_CLOEXEC, 0));
  if (!ours) return fail_errno("asking whether a server runs at {}", socket);
  nbd_aio_opt_abort(handle.get());  // the server would log an error about a silent hang-up
  const auto is_open = [](nbd_handle* its) {
    return nbd_aio_is_closed(its) != 1 && nbd_aio_is_dead(its) != 1 ? 1 : 0;
  };
  HF_TRY(const bool is_closed, poll_while(handle.get(), is_open, deadline, limits.cancel));
  if (!is_closed || !await_hang_up(ours, deadline)) return hangs();
  return true;
}

Result<std::unique_ptr<Connection>> Connection::open(const Export& what, const Limits& limits) {
  nbd_handle* handle = nbd_create();
  if (handle == nullptr) return fail(ENOMEM, "libnbd can't make a handle: {}", nbd_get_error());
  std::unique_ptr<Connection> connection(new Connection(handle, what, limits));
  may_wait(what.label());
  for (const auto& found : look_up(paths_in(what.uri), kHostPatience)) HF_CHECK(found);
  HF_CHECK(connection->prepare(what));
  std::optional<SharedLock> negotiates;
  if (what.negotiation) negotiates.emplace(*what.negotiation);
  HF_CHECK(connection->connect(what));
  negotiates.reset();
  HF_CHECK(connection->learn(what));
  return connection;
}

Connection::~Connection() {
  if (nbd_aio_is_ready(handle_) == 1) nbd_aio_disconnect(handle_, 0);
  // libnbd waits for the end of a server that it has started.
  if (is_own_server_) nbd_kill_subprocess(handle_, SIGKILL);
  nbd_close(handle_);
}

Result<> Connection::prepare(const Export& what) {
  const std::string doing = "preparing to connect";
  if (nbd_set_pread_initialize(handle_, false) != 0) return failure(doing);
  if (!what.erring && nbd_add_meta_context(handle_, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0)
    return failure(doing);
  if (what.bitmap.empty()) return {};
  bitmap_context_ = "qemu:dirty-bitmap:" + what.bitmap;
  if (nbd_add_meta_context(handle_, bitmap_context_.c_str()) != 0) return failure(doing);
  return {};
}

Result<> Connection::connect(const Export& what) {
  int begun = 0;
  if (!what.command.empty()) {
    std::vector<std::string> words = what.command;
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    begun = nbd_aio_connect_systemd_socket_activation(handle_, arguments.data());
  } else if (what.uri.empty()) {
    begun = nbd_set_export_name(handle_, what.name.c_str());
    if (begun == 0) begun = nbd_aio_connect_unix(handle_, what.socket.c_str());
  } else {
    begun = nbd_set_uri_allow_local_file(handle_, true);
    if (begun == 0) begun = nbd_aio_connect_uri(handle_, what.uri.c_str());
  }
  if (begun != 0) return not_connected(what);
  const Deadline deadline = Deadline::in(limits_.connect);
  Handshake handshake(handle_);
  HF_TRY(const bool answered,
         poll_while(handle_, nbd_aio_is_connecting, deadline, limits_.cancel, &handshake));
  if (handshake.has_no_end()) return fail(EPROTO, "{}: the server's handshake has no end", label_);
  if (!answered)
    return fail(ETIMEDOUT, "{} does not answer: it hangs, or serves one client at a time and has another one",
                label_);
  if (nbd_aio_is_ready(handle_) != 1) return not_connected(what);
  return {};
}

// Adds the remedy, because libnbd's sentence names its internal states and calls only.
tl::unexpected<Error> Connection::not_connected(const Export& what) const {
  auto failed = failure("connecting");
  // EINVAL means that the server hung up before it sent its greeting.
  if (failed.value().code == EINVAL) failed.value().code = ECONNRESET;
  const std::string& said = failed.value().message;
  const auto says = [&](std::string_view words) { return said.find(words) != std::string::npos; };
  std::string hint;
  if (!what.command.empty())
    hint = fmt::format("{} is not installed, or can't serve it; the daemon's log has its words",
                       what.command.front());
  else if (failed.value().code == ENOENT && !says("certificate"))
    hint = "nobody serves there, or there is no export of that name";
  else if (failed.value().code == ECONNREFUSED)
    hint = "nobody listens there";
  else if (failed.value().code == EACCES || failed.value().code == EPERM)
    hint = "the daemon may not open that socket";
  else if (!what.uri.starts_with("nbds") && says("TLS"))
    hint =
        "the server wants TLS: write nbds:// and, for certificates of its own, ?tls-certificates=DIRECTORY";
  else if (what.uri.starts_with("nbds"))
    hint =
        "TLS needs certificates that both sides trust: ?tls-certificates=DIRECTORY with ca-cert.pem, "
        "client-cert.pem and client-key.pem";
  if (!hint.empty()) failed.value().message += " (" + hint + ")";
  return failed;
}

Result<> Connection::learn(const Export& what) {
  const std::int64_t size = nbd_get_size(handle_);
  if (size < 0) return failure("asking for its size");
  size_ = static_cast<std::uint64_t>(size);
  if (what.size && size_ != *what.size)
    return fail(EIO, "{} has {} bytes, but the disk has {}", label_, size_, *what.size);
  const std::int64_t largest =
      nbd_get_block_size(handle_, LIBNBD_SIZE_MAXIMUM);  // 0: the server says nothing
  if (largest > 0 && static_cast<std::uint64_t>(largest) < DiskReader::kMostOfAPiece)
    return fail(ENOTSUP, "{} answers requests of at most {} bytes; Holdfast asks for {} at once", label_,
                largest, DiskReader::kMostOfAPiece);
  has_allocation_ = nbd_can_meta_context(handle_, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
  can_report_read_errors_ = nbd_can_df(handle_) == 1;
  if (bitmap_context_.empty() || nbd_can_meta_context(handle_, bitmap_context_.c_str()) == 1) return {};
  if (what.needs_bitmap)
    return fail(EIO, "{} does not offer {}: the source has lost the bitmap", label_, bitmap_context_);
  bitmap_context_.clear();
  return {};
}

tl::unexpected<Error> Connection::failure(const std::string& doing) const {
  int code = nbd_get_errno();
  // After a hang-up libnbd returns either no errno or EINVAL.
  if (!is_alive() && (code == 0 || code == EINVAL)) code = ECONNRESET;
  const char* text = nbd_get_error();
  return fail(code != 0 ? code : EIO, "{}: {}: {}", label_, doing, text != nullptr ? text : "unknown error");
}

tl::unexpected<Error> Connection::failure(int code, const std::string& doing) const {
  return fail(code != 0 ? code : EIO, "{}: {}: {}", label_, doing, describe_errno(code));
}

}  // namespace holdfast::source::nbd
