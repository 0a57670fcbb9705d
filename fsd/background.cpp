#include "fsd/background.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace holdfast {
namespace {

constexpr char kReady = 'r', kFailed = 'f';

// Waits for the child's word, prints it and exits with it. Runs in the parent.
[[noreturn]] void wait_for_word(const Fd& from_child) {
  std::string word;
  char part[512];
  for (ssize_t length; (length = read(from_child.get(), part, sizeof part)) > 0;)
    word.append(part, static_cast<std::size_t>(length));
  if (word.starts_with(kReady)) {
    std::puts("ready");
    std::exit(EXIT_SUCCESS);
  }
  const std::string why = word.empty() ? "it ended before it was ready" : word.substr(1);
  std::fprintf(stderr, "holdfastd: %s\n", why.c_str());
  std::exit(EXIT_FAILURE);
}

}  // namespace

Result<Announcer> Announcer::in_background() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  Fd from_child(ends[0]);
  Announcer announcer;
  announcer.to_parent_ = Fd(ends[1]);
  const pid_t child = fork();
  if (child < 0) return fail_errno("going into the background");
  if (child > 0) {
    announcer.to_parent_ = Fd();
    wait_for_word(from_child);
  }
  setsid();
  return announcer;
}

Result<> Announcer::ready(const std::string& log_file) {
  if (!to_parent_) {
    std::puts("ready");
    std::fflush(stdout);
    return {};
  }
  const Fd log(open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  if (!log) return fail_errno("opening {}", log_file);
  const Fd nowhere(open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!nowhere) return fail_errno("opening /dev/null");
  if (dup2(nowhere.get(), STDIN_FILENO) < 0 || dup2(nowhere.get(), STDOUT_FILENO) < 0 ||
      dup2(log.get(), STDERR_FILENO) < 0 || chdir("/") != 0)
    return fail_errno("leaving the terminal");
  tell(kReady, "");
  to_parent_ = Fd();
  return {};
}

void Announcer::failed(const std::string& sentence) {
  if (to_parent_)
    tell(kFailed, sentence);
  else
    std::fprintf(stderr, "holdfastd: %s\n", sentence.c_str());
}

void Announcer::tell(char what, const std::string& sentence) const {
  const std::string word = what + sentence;
  // A failed write means that the parent has gone, and nobody is left to tell.
  (void)!write(to_parent_.get(), word.data(), word.size());
}

}  // namespace holdfast
