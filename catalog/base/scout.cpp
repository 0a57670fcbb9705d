#include "catalog/base/scout.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/base/host_walk.h"

namespace holdfast::scout {
namespace {

using Steady = std::chrono::steady_clock;

// An answer: a header, the identities above, then the real path or the sentence.
struct Header {
  int code = 0;  // an errno; 0: found
  unsigned absent = 0;
  std::uint32_t identities = 0;
  std::uint32_t text = 0;
};

void tell(int to, const Result<HostPath>& found) {
  std::vector<HostPath::Identity> identities;
  std::string text = found ? found->real : found.error().message;
  Header header{.code = found ? 0 : found.error().code};
  if (found) {
    identities = found->above;
    if (found->own) identities.push_back(*found->own);
    header.absent = found->absent;
  }
  header.identities = static_cast<std::uint32_t>(identities.size());
  header.text = static_cast<std::uint32_t>(text.size());
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char*>(identities.data()), identities.size() * sizeof identities[0]);
  bytes += text;
  for (std::string_view left = bytes; !left.empty();) {
    const ssize_t written = ::write(to, left.data(), left.size());
    if (written <= 0) return;  // nobody waits any more
    left.remove_prefix(static_cast<std::size_t>(written));
  }
}

struct Question {
  std::string path;
  Fd answer;
};

// Returns nothing when the other end is closed.
std::optional<Question> next_question(int socket) {
  for (;;) {
    std::array<char, PATH_MAX> path;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
    iovec text{path.data(), path.size()};
    msghdr message{};
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(socket, &message, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length <= 0) return std::nullopt;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header == nullptr) continue;
    int answer = -1;
    std::memcpy(&answer, CMSG_DATA(header), sizeof answer);
    return Question{{path.data(), static_cast<std::size_t>(length)}, Fd{answer}};
  }
}

// Closes all descriptors but this one, which gets the number after the standard three.
int keep_only(int socket) {
  constexpr int kSocket = STDERR_FILENO + 1;
  if (socket != kSocket) ::dup2(socket, kSocket);
  ::syscall(SYS_close_range, kSocket + 1U, ~0U, 0U);
  return kSocket;
}

constexpr char kDone = '.';  // sent by a looker to the scout after each answer

[[noreturn]] void be_looker(int socket) {
  ::prctl(PR_SET_NAME, "holdfast-looker");
  socket = keep_only(socket);
  while (const auto question = next_question(socket)) {
    tell(question->answer.get(), walk_to(question->path));
    if (::send(socket, &kDone, 1, MSG_NOSIGNAL) != 1) break;
  }
  ::_exit(0);
}

class Scout {
 public:
  explicit Scout(int asker) : asker_(asker) {}

  // Returns when the asker is gone.
  void serve() {
    for (;;) {
      std::vector<pollfd> polled{{asker_, POLLIN, 0}};
      for (const Looker& looker : lookers_) polled.push_back({looker.socket.get(), POLLIN, 0});
      if (::poll(polled.data(), polled.size(), -1) < 0) {
        if (errno == EINTR) continue;
        return;
      }
      for (std::size_t i = 1; i < polled.size(); ++i)
        if (polled[i].revents != 0) hear(lookers_[i - 1]);
      let_go();
      if (polled[0].revents == 0) continue;
      const auto question = next_question(asker_);
      if (!question) return;
      take(*question);
    }
  }

 private:
  struct Looker {
    Fd socket;  // closed: the looker has ended
    bool is_busy = false;
    std::string path;
    Steady::time_point since{};
  };

  static void hear(Looker& looker) {
    char word;
    if (::recv(looker.socket.get(), &word, 1, MSG_DONTWAIT) == 1)
      looker.is_busy = false;
    else if (errno != EAGAIN && errno != EINTR)
      looker.socket = Fd{};
  }

  // Keeps one looker that waits for work. The others end when their sockets are closed.
  void let_go() {
    bool has_one = false;
    std::erase_if(lookers_, [&](const Looker& looker) {
      return !looker.socket || (!looker.is_busy && std::exchange(has_one, true));
    });
  }

  void take(const Question& question) {
    // One looker a path is lost to a file system that hangs, however often somebody asks.
    const auto lost = std::ranges::find_if(lookers_, [&](const Looker& looker) {
      return looker.is_busy && looker.path == question.path && Steady::now() - looker.since >= kHostPatience;
    });
    if (lost != lookers_.end()) return tell(question.answer.get(), no_answer_from(question.path));
    auto looker = std::ranges::find_if(lookers_, [](const Looker& one) { return !one.is_busy; });
    if (looker == lookers_.end() || !ask(looker->socket.get(), question.path, question.answer.get())) {
      looker = make_looker();
      if (looker == lookers_.end() || !ask(looker->socket.get(), question.path, question.answer.get()))
        return tell(
            question.answer.get(),
            fail(EAGAIN, "{} could not be looked at: no process could be made for it", question.path));
    }
    looker->is_busy = true;
    looker->path = question.path;
    looker->since = Steady::now();
  }

  std::vector<Looker>::iterator make_looker() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return lookers_.end();
    Fd ours{ends[0]};
    const Fd theirs{ends[1]};
    const pid_t child = ::fork();
    if (child < 0) return lookers_.end();
    if (child == 0) be_looker(theirs.get());
    lookers_.push_back({.socket = std::move(ours)});
    return lookers_.end() - 1;
  }

  const int asker_;
  std::vector<Looker> lookers_;
};

}  // namespace

Result<> ask(int socket, const std::string& path, int answer) {
  iovec text{const_cast<char*>(path.data()), path.size()};
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

Result<HostPath> understand(const std::string& bytes, const std::string& path) {
  Header header;
  const auto missing = fail(EIO, "{} could not be looked at: the process that looked has died", path);
  if (bytes.size() < sizeof header) return missing;
  std::memcpy(&header, bytes.data(), sizeof header);
  HostPath found{.absent = header.absent};
  const std::size_t of_identities = header.identities * sizeof(HostPath::Identity);
  if (bytes.size() != sizeof header + of_identities + header.text) return missing;
  const std::string text = bytes.substr(sizeof header + of_identities);
  if (header.code != 0) return fail(header.code, "{}", text);
  found.real = text;
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

tl::unexpected<Error> no_answer_from(const std::string& path) {
  return fail(ETIMEDOUT, "{} does not answer: the file system that it lies on hangs; look after its mount",
              path);
}

[[noreturn]] void answer_all(int socket) {
  ::setsid();
  ::prctl(PR_SET_NAME, "holdfast-scout");
  ::signal(SIGCHLD, SIG_IGN);  // nobody waits for the lookers
  ::signal(SIGPIPE, SIG_IGN);
  const int nowhere = ::open("/dev/null", O_RDWR);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nowhere, standard);
  socket = keep_only(socket);
  if (::chdir("/") != 0) ::_exit(1);
  Scout(socket).serve();
  ::_exit(0);
}

}  // namespace holdfast::scout
