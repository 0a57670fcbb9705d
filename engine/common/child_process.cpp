#include "engine/common/child_process.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace holdfast {
namespace {

// Error that the child reports if a step fails before its program runs.
struct Failure {
  int code = 0;
  const char* step = nullptr;  // a string literal, valid on both sides of a fork
};

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

// Everything the child needs, prepared before the fork: between fork and exec only system calls are safe.
struct Prepared {
  const Launch& launch;
  char* const* arguments;
  char* const* environment;
  int failure;
  pid_t parent;
};

[[noreturn]] void become_program(const Prepared& prepared) {
  const Launch& launch = prepared.launch;
  const auto must = [&](bool done, const char* step) {
    if (done) return;
    const Failure failure{errno, step};
    (void)!write(prepared.failure, &failure, sizeof failure);
    _exit(127);
  };
  const auto call = [](long number, auto... arguments) { return syscall(number, arguments...) == 0; };
  must(setsid() >= 0, "making a session");
  for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGTERM}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  must(sigprocmask(SIG_SETMASK, &none, nullptr) == 0, "unblocking signals");
  must(dup2(launch.input, STDIN_FILENO) >= 0 && dup2(launch.output, STDOUT_FILENO) >= 0 &&
           dup2(launch.errors, STDERR_FILENO) >= 0,
       "opening its standard files");
  // A script's interpreter opens the script again by its descriptor, so that descriptor stays open.
  must(call(SYS_close_range, 3U, ~0U, static_cast<unsigned>(CLOSE_RANGE_CLOEXEC)) &&
           fcntl(launch.program.get(), F_SETFD, 0) == 0,
       "closing descriptors");
  for (const int kept : launch.kept) must(fcntl(kept, F_SETFD, 0) == 0, "keeping descriptors");
  must(chdir("/") == 0, "going to /");
  umask(077);
  // Raw system calls, because the library's functions would change every thread of the daemon.
  must(call(SYS_setgroups, launch.user.groups.size(), launch.user.groups.data()) &&
           call(SYS_setresgid, launch.user.gid, launch.user.gid, launch.user.gid) &&
           call(SYS_setresuid, launch.user.uid, launch.user.uid, launch.user.uid),
       "becoming its user");
  for (const auto& [resource, most] : launch.limits) {
    const rlimit both{most, most};
    must(setrlimit(resource, &both) == 0, "limiting its resources");
  }
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "giving up new privileges");
  must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == prepared.parent, "following the daemon's end");
  syscall(SYS_execveat, launch.program.get(), "", prepared.arguments, prepared.environment, AT_EMPTY_PATH);
  must(false, "executing it");
  _exit(127);
}

// Returns success once the program runs.
Result<> await_launch(const Fd& failures, const std::string& name) {
  Failure failure;
  ssize_t length;
  while ((length = read(failures.get(), &failure, sizeof failure)) < 0 && errno == EINTR) continue;
  if (length != sizeof failure) return {};
  return fail(failure.code, "{}: {}: {}", name, failure.step, describe_errno(failure.code));
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(Launch launch) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  const Fd failures{ends[0]};
  Fd failure{ends[1]};
  const std::string name = launch.arguments.front();
  const auto arguments = pointers(launch.arguments), variables = pointers(launch.environment);
  const Prepared prepared{.launch = launch,
                          .arguments = arguments.data(),
                          .environment = variables.data(),
                          .failure = failure.get(),
                          .parent = getpid()};
  const pid_t pid = fork();
  if (pid < 0) return fail_errno("starting {}", name);
  if (pid == 0) become_program(prepared);
  failure = Fd();
  std::unique_ptr<ChildProcess> child(new ChildProcess(pid));
  child->process_ = Fd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!child->process_) return fail_errno("watching {}", name);
  HF_CHECK(await_launch(failures, name));
  return child;
}

int ChildProcess::end() {
  if (ended_) return status_;
  // The process number can't be reused before waitpid(). A child that has no group yet is killed by its own.
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  while (waitpid(pid_, &status_, 0) < 0 && errno == EINTR) continue;
  ended_ = true;
  return status_;
}

std::string describe_status(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("exited with {}", WEXITSTATUS(status));
}

}  // namespace holdfast
