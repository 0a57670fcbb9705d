#include "catalog/base/host_path.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "catalog/base/fd.h"
#include "catalog/base/mutex.h"
#include "catalog/base/scout.h"
#include "catalog/base/waits.h"

namespace holdfast {
namespace {

using Steady = std::chrono::steady_clock;

class Asker {
 public:
  Result<> start() {
    const MutexLock lock(mutex_);
    return begin();
  }

  // Returns the descriptor from which to read the answer.
  Result<Fd> ask(const std::string& path) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
    Fd answer{ends[0]};
    const Fd theirs{ends[1]};
    const MutexLock lock(mutex_);
    // A scout that somebody has killed is replaced.
    if (!socket_ || !scout::ask(socket_.get(), path, theirs.get())) {
      HF_CHECK(begin());
      HF_CHECK(scout::ask(socket_.get(), path, theirs.get()));
    }
    return answer;
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
      if (::fork() == 0) scout::answer_all(theirs.get());
      ::_exit(0);
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    return {};
  }

  Mutex mutex_;
  Fd socket_ HF_GUARDED_BY(mutex_);
};

Asker& asker() {
  static Asker one;
  return one;
}

// Reads until the looker has closed its end.
Result<HostPath> await(const Fd& answer, const std::string& path,
                       const std::optional<Steady::time_point>& until) {
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
    if (ready == 0) return scout::no_answer_from(path);
    std::array<char, 4096> piece;
    const ssize_t length = ::read(answer.get(), piece.data(), piece.size());
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return fail_errno("reading an answer about {}", path);
    if (length == 0) return scout::understand(bytes, path);
    bytes.append(piece.data(), static_cast<std::size_t>(length));
  }
}

}  // namespace

Result<> be_ready_to_look_up() { return asker().start(); }

std::vector<Result<HostPath>> look_up(std::span<const std::string> paths,
                                      std::optional<std::chrono::milliseconds> patience) {
  std::optional<Steady::time_point> until;
  if (patience) until = Steady::now() + *patience;
  std::vector<Result<Fd>> answers;
  for (const std::string& path : paths) {
    may_wait(path);
    answers.push_back(asker().ask(path));
  }
  std::vector<Result<HostPath>> found;
  for (std::size_t i = 0; i < paths.size(); ++i)
    found.push_back(answers[i] ? await(*answers[i], paths[i], until)
                               : tl::make_unexpected(answers[i].error()));
  return found;
}

Result<HostPath> look_up(const std::string& path, std::optional<std::chrono::milliseconds> patience) {
  return std::move(look_up(std::span{&path, 1}, patience).front());
}

}  // namespace holdfast
