#include "catalog/base/host_path.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstring>
#include <set>

#include "catalog/base/fd.h"
#include "catalog/base/host_walk.h"
#include "catalog/base/mutex.h"
#include "catalog/base/waits.h"

namespace holdfast {
namespace {

using Steady = std::chrono::steady_clock;

// The answer of a child: the ids of the mounts that it has entered, each written before it asks the mount,
// and a zero. Then a header, the identities above, the real path or the sentence, and the first bytes of the
// file.
struct Header {
  int code = 0;  // an errno; 0: found
  unsigned absent = 0;
  std::uint32_t identities = 0;
  std::uint32_t text = 0;
  std::uint32_t start = 0;
};

void write_all(int to, std::string_view left) {
  while (!left.empty()) {
    const ssize_t written = ::write(to, left.data(), left.size());
    if (written <= 0) return;  // nobody waits any more
    left.remove_prefix(static_cast<std::size_t>(written));
  }
}

void tell_mount(int to, std::uint64_t mount) {
  write_all(to, {reinterpret_cast<const char*>(&mount), sizeof mount});
}

void tell(int to, const Result<HostPath>& found) {
  std::vector<HostPath::Identity> identities;
  std::string text = found ? found->real : found.error().message;
  Header header{.code = found ? 0 : found.error().code};
  if (found) {
    identities = found->above;
    if (found->own) identities.push_back(*found->own);
    header.absent = found->absent;
    header.start = static_cast<std::uint32_t>(found->start.size());
  }
  header.identities = static_cast<std::uint32_t>(identities.size());
  header.text = static_cast<std::uint32_t>(text.size());
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char*>(identities.data()), identities.size() * sizeof identities[0]);
  bytes += text;
  if (found) bytes += found->start;
  write_all(to, bytes);
}

Result<HostPath> understand(const std::string& bytes, const std::string& path) {
  Header header;
  const auto missing = fail(EIO, "{} could not be looked at: the process that looked has died", path);
  if (bytes.size() < sizeof header) return missing;
  std::memcpy(&header, bytes.data(), sizeof header);
  HostPath found{.absent = header.absent};
  const std::size_t of_identities = header.identities * sizeof(HostPath::Identity);
  if (bytes.size() != sizeof header + of_identities + header.text + header.start) return missing;
  const std::string text = bytes.substr(sizeof header + of_identities, header.text);
  if (header.code != 0) return fail(header.code, "{}", text);
  found.real = text;
  found.start = bytes.substr(bytes.size() - header.start);
  found.above.resize(header.identities);
  for (std::size_t i = 0; i < found.above.size(); ++i)
    std::memcpy(&found.above[i], bytes.data() + sizeof header + i * sizeof(HostPath::Identity),
                sizeof(HostPath::Identity));
  if (found.absent == 0 && !found.above.empty()) {
    found.own = found.above.back();
    found.above.pop_back();
  }
  return found;
}

constexpr std::size_t kMostHanging = 64;  // mounts that a question names

struct Question {
  Look look = Look::place;
  std::uint32_t hanging_count = 0;
  std::array<std::uint64_t, kMostHanging> hanging{};  // mounts that are not to be entered
  std::array<char, PATH_MAX> path{};                  // the message ends where the path does
};

// Sends the question, and the pipe for the answer.
Result<> send_question(int socket, const std::string& path, Look look, const std::set<std::uint64_t>& hanging,
                       int answer) {
  if (path.size() >= PATH_MAX) return fail(ENAMETOOLONG, "a path has {} bytes", path.size());
  Question question{.look = look};
  for (const std::uint64_t mount : hanging)
    if (question.hanging_count < kMostHanging) question.hanging[question.hanging_count++] = mount;
  path.copy(question.path.data(), path.size());
  iovec text{&question, offsetof(Question, path) + path.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &text;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &answer, sizeof answer);
  if (::sendmsg(socket, &message, MSG_NOSIGNAL) < 0) return fail_errno("asking after {}", path);
  return {};
}

// The life of the scout: makes a child for each question.
[[noreturn]] void be_scout(int socket) {
  ::setsid();
  ::prctl(PR_SET_NAME, "holdfast-scout");
  ::signal(SIGCHLD, SIG_IGN);  // nobody waits for the children
  ::signal(SIGPIPE, SIG_IGN);
  constexpr int kSocket = STDERR_FILENO + 1;
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, standard);
  ::dup2(socket, kSocket);
  ::syscall(SYS_close_range, kSocket + 1U, ~0U, 0U);
  if (::chdir("/") != 0) ::_exit(1);
  for (;;) {
    Question question;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
    iovec text{&question, sizeof question};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(kSocket, &message, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) ::_exit(0);  // the daemon has ended
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr) continue;
    int answer = -1;
    std::memcpy(&answer, CMSG_DATA(header), sizeof answer);
    if (::fork() == 0) {
      ::close(kSocket);
      const std::string path(question.path.data(),
                             static_cast<std::size_t>(length) - offsetof(Question, path));
      const std::set<std::uint64_t> hanging(question.hanging.begin(),
                                            question.hanging.begin() + question.hanging_count);
      const auto found =
          walk_to(path, question.look, hanging, [answer](std::uint64_t mount) { tell_mount(answer, mount); });
      tell_mount(answer, 0);
      tell(answer, found);
      ::_exit(0);
    }
    ::close(answer);
  }
}

class Scout {
 public:
  Result<> start() {
    const MutexLock lock(mutex_);
    return begin();
  }

  // Returns the descriptor from which to read the answer. ETIMEDOUT at once, and no child, while a child that
  // looked at the path before has not ended.
  Result<Fd> ask(const std::string& path, Look look) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
    Fd answer{ends[0]};
    const Fd theirs{ends[1]};
    const MutexLock lock(mutex_);
    std::erase_if(left_, [](const Left& child) { return has_ended(child.answer); });
    std::set<std::uint64_t> hanging;
    for (const Left& child : left_) {
      if (child.path == path) return does_not_answer(path);
      if (child.mount != 0) hanging.insert(child.mount);
    }
    // A scout that somebody has killed is replaced.
    if (!socket_ || !send_question(socket_.get(), path, look, hanging, theirs.get())) {
      HF_CHECK(begin());
      HF_CHECK(send_question(socket_.get(), path, look, hanging, theirs.get()));
    }
    return answer;
  }

  // Remembers a child that has not answered in time, and the mount that it waits for; 0 if that is not known.
  void leave(Fd answer, const std::string& path, std::uint64_t mount) {
    const MutexLock lock(mutex_);
    left_.push_back({std::move(answer), path, mount});
  }

 private:
  Result<> begin() HF_REQUIRES(mutex_) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
      return fail_errno("making a pair of sockets");
    socket_ = Fd{ends[0]};
    const Fd theirs{ends[1]};
    // The scout is nobody's child, so that nobody has to wait for its end.
    const pid_t child = ::fork();
    if (child < 0) return fail_errno("starting the process that looks at paths");
    if (child == 0) {
      if (::fork() == 0) be_scout(theirs.get());
      ::_exit(0);
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    return {};
  }

  struct Left {
    Fd answer;
    std::string path;
    std::uint64_t mount = 0;
  };

  static bool has_ended(const Fd& answer) {
    pollfd polled{answer.get(), 0, 0};
    return ::poll(&polled, 1, 0) > 0 && (polled.revents & POLLHUP) != 0;
  }

  Mutex mutex_;
  Fd socket_ HF_GUARDED_BY(mutex_);
  std::vector<Left> left_ HF_GUARDED_BY(mutex_);  // one for each mount that hangs
};

Scout& scout() {
  static Scout one;
  return one;
}

// Takes the ids of mounts off the beginning of an answer, up to the zero. Returns the last id.
std::uint64_t take_mounts(std::string& bytes) {
  std::uint64_t last = 0, mount = 1;
  while (mount != 0 && bytes.size() >= sizeof mount) {
    std::memcpy(&mount, bytes.data(), sizeof mount);
    bytes.erase(0, sizeof mount);
    if (mount != 0) last = mount;
  }
  return last;
}

// Reads until the child has closed its end. A child that takes too long is left behind.
Result<HostPath> await(Fd answer, const std::string& path, const std::optional<Steady::time_point>& until) {
  std::string bytes;
  for (;;) {
    int wait = -1;
    if (until)
      wait = static_cast<int>(std::max<std::int64_t>(
          0, std::chrono::ceil<std::chrono::milliseconds>(*until - Steady::now()).count()));
    pollfd polled{answer.get(), POLLIN, 0};
    const int ready = ::poll(&polled, 1, wait);
    if (ready < 0 && errno == EINTR) continue;
    if (ready < 0) return fail_errno("waiting for an answer about {}", path);
    if (ready == 0) {
      scout().leave(std::move(answer), path, take_mounts(bytes));
      return does_not_answer(path);
    }
    std::array<char, 4096> piece;
    const ssize_t length = ::read(answer.get(), piece.data(), piece.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return fail_errno("reading an answer about {}", path);
    if (length == 0) {
      take_mounts(bytes);
      return understand(bytes, path);
    }
    bytes.append(piece.data(), static_cast<std::size_t>(length));
  }
}

}  // namespace

Result<> be_ready_to_look_up() { return scout().start(); }

std::vector<Result<HostPath>> look_up(std::span<const std::string> paths,
                                      std::optional<std::chrono::milliseconds> patience, Look look) {
  std::optional<Steady::time_point> until;
  if (patience) until = Steady::now() + *patience;
  std::vector<Result<Fd>> answers;
  for (const std::string& path : paths) {
    may_wait(path);
    answers.push_back(scout().ask(path, look));
  }
  std::vector<Result<HostPath>> found;
  for (std::size_t i = 0; i < paths.size(); ++i)
    found.push_back(answers[i] ? await(*std::move(answers[i]), paths[i], until)
                               : tl::make_unexpected(answers[i].error()));
  return found;
}

Result<HostPath> look_up(const std::string& path, std::optional<std::chrono::milliseconds> patience) {
  return std::move(look_up(std::span{&path, 1}, patience).front());
}

}  // namespace holdfast
