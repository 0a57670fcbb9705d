#include "engine/boot/nbd_export.h"

#include <sys/socket.h>

#include <array>

namespace holdfast::boot {
namespace {

// Numbers of the NBD protocol (doc/proto.md of the project "nbd").
constexpr std::uint64_t kGreeting = 0x4e42444d41474943;     // "NBDMAGIC"
constexpr std::uint64_t kOptionMagic = 0x49484156454f5054;  // "IHAVEOPT"
constexpr std::uint64_t kOptionReplyMagic = 0x3e889045565a9;
constexpr std::uint32_t kRequestMagic = 0x25609513, kReplyMagic = 0x67446698;
constexpr std::uint16_t kFixedNewstyle = 1;
constexpr std::uint32_t kAbort = 2, kGo = 7;                             // options
constexpr std::uint32_t kAck = 1, kInfo = 3, kUnsupported = 0x80000001;  // replies to options
constexpr std::uint16_t kExportInfo = 0, kHasFlags = 1,
                        kSendsFlush = 1 << 2;                                // flags and facts of the export
constexpr std::uint16_t kRead = 0, kWrite = 1, kDisconnect = 2, kFlush = 3;  // requests
constexpr std::uint32_t kIoError = 5, kInvalid = 22, kNoSpace = 28;

constexpr std::uint32_t kLongestOption = 4096;        // NBD's limit for names
constexpr std::uint32_t kLongestRequest = 32 * kMiB;  // QEMU's own

// Big-endian numbers, one after the other.
template <class... Numbers>
auto message(Numbers... numbers) {
  std::array<std::byte, (sizeof numbers + ...)> bytes;
  std::byte* at = bytes.data();
  ((store_be(at, numbers), at += sizeof numbers), ...);
  return bytes;
}

}  // namespace

struct NbdExport::Request {
  std::uint16_t type;
  std::uint64_t handle, offset;
  std::uint32_t length;
};

Result<std::unique_ptr<NbdExport>> NbdExport::start(GuestDisk& disk, ProgressMeter& meter) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("making a pair of sockets");
  std::unique_ptr<NbdExport> made(new NbdExport(disk, meter, Fd{ends[0]}, Fd{ends[1]}));
  made->thread_ = std::thread([serving = made.get()] { serving->serve(); });
  return made;
}

NbdExport::~NbdExport() {
  ::shutdown(server_.get(), SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
}

std::optional<Error> NbdExport::failure() {
  const MutexLock lock(mutex_);
  return failure_;
}

std::chrono::steady_clock::duration NbdExport::busy_for() const {
  const auto asked_at = asked_at_.load();
  if (asked_at == std::chrono::steady_clock::time_point{}) return {};
  return std::chrono::steady_clock::now() - asked_at;
}

void NbdExport::serve() {
  std::array<std::byte, 28> head;
  if (!shake_hands()) return;
  while (receive(head) && load_be<std::uint32_t>(head.data()) == kRequestMagic) {
    const Request request{.type = load_be<std::uint16_t>(head.data() + 6),
                          .handle = load_be<std::uint64_t>(head.data() + 8),
                          .offset = load_be<std::uint64_t>(head.data() + 16),
                          .length = load_be<std::uint32_t>(head.data() + 24)};
    if (request.type == kDisconnect || request.length > kLongestRequest || !answer(request)) return;
  }
}

// Returns whether the client wants the disk.
bool NbdExport::shake_hands() {
  std::array<std::byte, 4> flags;
  std::array<std::byte, 16> head;
  if (!send(message(kGreeting, kOptionMagic, kFixedNewstyle)) || !receive(flags)) return false;
  while (receive(head) && load_be<std::uint64_t>(head.data()) == kOptionMagic) {
    const auto option = load_be<std::uint32_t>(head.data() + 8);
    const auto length = load_be<std::uint32_t>(head.data() + 12);
    Bytes data(std::min(length, kLongestOption));
    if (length > kLongestOption || !receive(data)) return false;
    if (option == kGo)
      return answer_option(
                 option, kInfo,
                 message(kExportInfo, disk_.size(), static_cast<std::uint16_t>(kHasFlags | kSendsFlush))) &&
             answer_option(option, kAck, {});
    if (option == kAbort || !answer_option(option, kUnsupported, {})) return false;
  }
  return false;
}

bool NbdExport::answer_option(std::uint32_t option, std::uint32_t type, ByteView content) {
  return send(message(kOptionReplyMagic, option, type, static_cast<std::uint32_t>(content.size()))) &&
         send(content);
}

// Returns false once the client has gone.
bool NbdExport::answer(const Request& request) {
  Bytes data(request.type == kRead || request.type == kWrite ? request.length : 0);
  if (request.type == kWrite && !receive(data)) return false;
  asked_at_ = std::chrono::steady_clock::now();
  const std::uint32_t error = fulfil(request, data);
  asked_at_ = std::chrono::steady_clock::time_point{};
  if (!send(message(kReplyMagic, error, request.handle))) return false;
  return request.type != kRead || error != 0 || send(data);
}

// Reads into `data`, or writes it. Returns NBD's number for the error; 0 for none.
std::uint32_t NbdExport::fulfil(const Request& request, Bytes& data) {
  if (request.type == kFlush) return 0;  // writes need not last
  const bool inside = request.offset <= disk_.size() && request.length <= disk_.size() - request.offset;
  if ((request.type != kRead && request.type != kWrite) || !inside) return kInvalid;
  const auto done =
      request.type == kRead ? disk_.read(request.offset, data) : disk_.write(request.offset, data);
  if (done) {
    meter_.advance(request.type == kRead ? request.length : 0);
    return 0;
  }
  const MutexLock lock(mutex_);
  if (!failure_) failure_ = done.error();
  return done.error().code == ENOSPC ? kNoSpace : kIoError;
}

bool NbdExport::receive(ByteSpan into) const {
  while (!into.empty()) {
    const ssize_t n = ::recv(server_.get(), into.data(), into.size(), MSG_WAITALL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

bool NbdExport::send(ByteView bytes) const {
  while (!bytes.empty()) {
    const ssize_t n = ::send(server_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace holdfast::boot
