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
#include <cstddef>
#include <cstring>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/base/host_walk.h"

namespace holdfast::scout {
namespace {

// An answer: the ids of the mounts that were entered, each written before the mount is asked, and a zero.
// Then a header, the identities above, the real path or the sentence, and the first bytes of the file.
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
  tell_mount(to, 0);
  write_all(to, bytes);
}

constexpr std::size_t kMostHanging = 64;  // mounts that a question names

// A message to the scout, and from it to a looker.
struct Message {
  Look look = Look::place;
  std::uint32_t hanging_count = 0;
  std::array<std::uint64_t, kMostHanging> hanging{};  // mounts that are not to be entered
  std::array<char, PATH_MAX> path{};                  // the message ends where the path does
};

struct Question {
  std::string path;
  Look look = Look::place;
  std::set<std::uint64_t> hanging;
  Fd answer;
};

// Returns nothing when the other end is closed.
std::optional<Question> next_question(int socket) {
  for (;;) {
    Message asked;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control;
    iovec text{&asked, sizeof asked};
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
    return Question{.path{asked.path.data(), static_cast<std::size_t>(length) - offsetof(Message, path)},
                    .look = asked.look,
                    .hanging{asked.hanging.begin(), asked.hanging.begin() + asked.hanging_count},
                    .answer = Fd{answer}};
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
    const int answer = question->answer.get();
    const auto found = walk_to(question->path, question->look, question->hanging,
                               [answer](std::uint64_t mount) { tell_mount(answer, mount); });
    tell(answer, found);
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
    auto looker = std::ranges::find_if(lookers_, [](const Looker& one) { return !one.is_busy; });
    if (looker == lookers_.end() || !pass_on(looker->socket.get(), question)) {
      looker = make_looker();
      if (looker == lookers_.end() || !pass_on(looker->socket.get(), question))
        return tell(
            question.answer.get(),
            fail(EAGAIN, "{} could not be looked at: no process could be made for it", question.path));
    }
    looker->is_busy = true;
  }

  static Result<> pass_on(int looker, const Question& question) {
    return ask(looker, question.path, question.look, question.hanging, question.answer.get());
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

// Takes the ids of mounts off the beginning of an answer. Returns the last.
std::uint64_t take_mounts(std::string& bytes) {
  std::uint64_t last = 0, mount = 1;
  while (mount != 0 && bytes.size() >= sizeof mount) {
    std::memcpy(&mount, bytes.data(), sizeof mount);
    bytes.erase(0, sizeof mount);
    if (mount != 0) last = mount;
  }
  return last;
}

}  // namespace

Result<> ask(int socket, const std::string& path, Look look, const std::set<std::uint64_t>& hanging,
             int answer) {
  if (path.size() >= PATH_MAX) return fail(ENAMETOOLONG, "a path has {} bytes", path.size());
  Message question{.look = look};
  for (const std::uint64_t mount : hanging)
    if (question.hanging_count < kMostHanging) question.hanging[question.hanging_count++] = mount;
  path.copy(question.path.data(), path.size());
  iovec text{&question, offsetof(Message, path) + path.size()};
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

std::uint64_t last_mount(std::string bytes) { return take_mounts(bytes); }

Result<HostPath> understand(std::string bytes, const std::string& path) {
  take_mounts(bytes);
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
