#include "engine/foreign/reader_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "catalog/base/text.h"

namespace holdfast::foreign {
namespace {

using Steady = std::chrono::steady_clock;

// Requests in flight to the child, because waiting for each answer costs more than the read.
constexpr std::uint64_t kAhead = 16;

// Installed programs are in bin or sbin; programs in a build tree lie side by side.
Result<std::string> find_program() {
  std::error_code problem;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", problem).parent_path();
  for (const auto& place : {here.parent_path() / "libexec/holdfast/holdfast-qcow", here / "holdfast-qcow"})
    if (::access(place.c_str(), X_OK) == 0) return place.string();
  return fail(ENOENT, "holdfast-qcow, which reads qcow images of version 1, is neither in {} nor in {}",
              (here.parent_path() / "libexec/holdfast").string(), here.string());
}

// Returns a copy above the standard descriptors, so that replacing them doesn't close it.
Result<Fd> above_standard(int fd) {
  Fd copy{::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)};
  if (!copy) return fail_errno("copying a descriptor");
  return copy;
}

// The child's initial state: three descriptors, no environment, no signal blocked or ignored.
class SpawnPlan {
 public:
  SpawnPlan() {
    ::posix_spawn_file_actions_init(&files_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnPlan() {
    ::posix_spawnattr_destroy(&attributes_);
    ::posix_spawn_file_actions_destroy(&files_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  Result<pid_t> spawn(const std::string& program, int image, int socket) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    pid_t pid = 0;
    std::string name = program;
    char* arguments[] = {name.data(), nullptr};
    char* environment[] = {nullptr};
    for (const int problem :
         {::posix_spawn_file_actions_adddup2(&files_, image, protocol::kImage),
          ::posix_spawn_file_actions_adddup2(&files_, socket, protocol::kSocket),
          ::posix_spawn_file_actions_addopen(&files_, STDERR_FILENO, "/dev/null", O_WRONLY, 0),
          ::posix_spawnattr_setsigmask(&attributes_, &none),
          ::posix_spawnattr_setsigdefault(&attributes_, &all),
          ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF),
          ::posix_spawn(&pid, program.c_str(), &files_, &attributes_, arguments, environment)})
      if (problem != 0) return fail(problem, "starting {}: {}", program, describe_errno(problem));
    return pid;
  }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

std::string reason_of(const protocol::Answer& answer) {
  const std::string_view reason(answer.reason.data(), answer.reason.size());
  return printable(reason.substr(0, reason.find('\0')));
}

}  // namespace

Result<std::unique_ptr<ReaderProcess>> ReaderProcess::start(const ImageFile& image,
                                                            const ReaderOptions& options) {
  std::string program = options.program;
  if (program.empty()) {
    HF_TRY(program, find_program());
  }
  std::unique_ptr<ReaderProcess> reader(new ReaderProcess(image.path(), options.deadline));
  HF_CHECK(reader->spawn(image, program));
  HF_CHECK(reader->hear_that_it_is_open());
  return reader;
}

ReaderProcess::~ReaderProcess() { end(); }

Result<> ReaderProcess::spawn(const ImageFile& image, const std::string& program) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return fail_errno("making a pair of sockets");
  socket_ = Fd{ends[0]};
  const Fd theirs{ends[1]};
  HF_TRY(const Fd image_copy, above_standard(image.fd()));
  HF_TRY(const Fd socket_copy, above_standard(theirs.get()));
  HF_TRY(pid_, SpawnPlan().spawn(program, image_copy.get(), socket_copy.get()));
  return {};
}

Result<> ReaderProcess::hear_that_it_is_open() {
  HF_TRY(const protocol::Answer answer, receive_answer());
  if (answer.code != 0)
    return fail(static_cast<int>(answer.code), "{} can't be opened: {}", image_, reason_of(answer));
  version_ = answer.version;
  size_ = answer.size;
  return {};
}

Result<> ReaderProcess::read(std::uint64_t offset, ByteSpan into, std::uint64_t cluster_size) {
  auto done = read_ahead(offset, into, cluster_size);
  if (!done) end();  // unread answers may still arrive, so the socket is useless
  return done;
}

Result<> ReaderProcess::read_ahead(std::uint64_t offset, ByteSpan into, std::uint64_t cluster_size) {
  const std::uint64_t longest = std::min<std::uint64_t>(cluster_size, protocol::kLongestRead);
  const std::uint64_t end = offset + into.size();
  const auto piece_at = [&](std::uint64_t at) {
    return protocol::Request{at, std::min(round_down(at, longest) + longest, end) - at};
  };
  std::uint64_t asked = offset;
  for (std::uint64_t in_flight = 0; !into.empty(); --in_flight) {
    for (; asked < end && in_flight < kAhead; ++in_flight) {
      const protocol::Request request = piece_at(asked);
      HF_CHECK(send(request));
      asked += request.length;
    }
    const std::uint64_t length = piece_at(offset).length;
    HF_TRY(const protocol::Answer answer, receive_answer());
    if (answer.code != 0) return fail(EIO, "{} can't be read at {}: {}", image_, offset, reason_of(answer));
    HF_CHECK(receive(into.first(length)));
    into = into.subspan(length);
    offset += length;
  }
  return {};
}

// The socket has room for kAhead requests, also while the child doesn't read.
Result<> ReaderProcess::send(const protocol::Request& request) {
  if (!socket_) return fail(EIO, "{}: its reader has ended", image_);
  const ssize_t n = ::send(socket_.get(), &request, sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n == static_cast<ssize_t>(sizeof request)) return {};
  return fail_because_it_ended();
}

Result<protocol::Answer> ReaderProcess::receive_answer() {
  protocol::Answer answer;
  HF_CHECK(receive(std::as_writable_bytes(std::span{&answer, 1})));
  return answer;
}

Result<> ReaderProcess::receive(ByteSpan into) {
  const auto until = Steady::now() + deadline_;
  while (!into.empty()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Steady::now());
    pollfd socket{socket_.get(), POLLIN, 0};
    const int ready = left.count() > 0 ? ::poll(&socket, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return fail_errno("waiting for the reader of {}", image_);
    if (ready == 0)
      return fail(EIO, "{}: its reader did not answer within {} ms, and was ended", image_,
                  deadline_.count());
    const ssize_t n = ::recv(socket_.get(), into.data(), into.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail_because_it_ended();
    into = into.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

tl::unexpected<Error> ReaderProcess::fail_because_it_ended() {
  const int status = end();
  if (WIFSIGNALED(status))
    return fail(EIO, "{}: its reader died of signal {} ({})", image_, WTERMSIG(status),
                ::strsignal(WTERMSIG(status)));
  return fail(EIO, "{}: its reader ended by itself (status {})", image_, WEXITSTATUS(status));
}

int ReaderProcess::end() {
  if (pid_ == 0) return 0;
  // The child exits when its socket closes, or is killed. Killing a child that has died does nothing, because
  // its status is kept until waitpid().
  socket_ = Fd{};
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = 0;
  return status;
}

}  // namespace holdfast::foreign
