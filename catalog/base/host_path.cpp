#include "catalog/base/host_path.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

#include "catalog/base/fd.h"
#include "catalog/base/host_walk.h"
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

  // Returns the descriptor from which to read the answer. ETIMEDOUT at once, and no look, while one that
  // looked at the path before has not ended.
  Result<Fd> ask(const std::string& path, Look look) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
    Fd answer{ends[0]};
    const Fd theirs{ends[1]};
    const MutexLock lock(mutex_);
    std::erase_if(left_, [](const Left& left) { return has_ended(left.answer); });
    std::set<std::uint64_t> hanging;
    for (const Left& left : left_) {
      if (left.path == path) return does_not_answer(path);
      if (left.mount != 0) hanging.insert(left.mount);
    }
    // A scout that somebody has killed is replaced.
    if (!socket_ || !scout::ask(socket_.get(), path, look, hanging, theirs.get())) {
      HF_CHECK(begin());
      HF_CHECK(scout::ask(socket_.get(), path, look, hanging, theirs.get()));
    }
    return answer;
  }

  // Remembers a look that was not answered in time, and the mount that it waits for; 0 if that is not known.
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
      if (::fork() == 0) scout::answer_all(theirs.get());
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

Asker& asker() {
  static Asker one;
  return one;
}

// Reads until the looker has closed its end. One that takes too long is left behind.
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
      asker().leave(std::move(answer), path, scout::last_mount(bytes));
      return does_not_answer(path);
    }
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
                                      std::optional<std::chrono::milliseconds> patience, Look look) {
  std::optional<Steady::time_point> until;
  if (patience) until = Steady::now() + *patience;
  std::vector<Result<Fd>> answers;
  for (const std::string& path : paths) {
    may_wait(path);
    answers.push_back(asker().ask(path, look));
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
