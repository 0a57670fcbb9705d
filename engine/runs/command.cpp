#include "engine/runs/command.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "catalog/base/text.h"
#include "engine/common/deadline.h"

namespace holdfast::runs {
namespace {

constexpr std::chrono::milliseconds kLookAtCancel{100};

// Error that the child reports if a step fails before its program runs.
struct Failure {
  int code = 0;
  const char* step = nullptr;  // a string literal, valid on both sides of a fork
};

struct Pipe {
  Fd read_end, write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail_errno("making a pipe");
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

// Makes the input a file in memory, so that no thread has to write while the program reads.
Result<Fd> input_file(const std::string& text) {
  Fd file(memfd_create("input", MFD_CLOEXEC));
  if (!file) return fail_errno("making a file in memory");
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t written = write(file.get(), text.data() + at, text.size() - at);
    if (written < 0) return fail_errno("writing to a file in memory");
    at += static_cast<std::size_t>(written);
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return fail_errno("rewinding a file in memory");
  return file;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (std::string& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

// Everything the child needs, prepared before the fork: between fork and exec only system calls are safe.
struct Launch {
  int program, input, output, failure;
  const Caller& user;
  char* const* arguments;
  char* const* environment;
  pid_t parent;
};

[[noreturn]] void become_program(const Launch& launch) {
  const auto must = [&](bool done, const char* step) {
    if (done) return;
    const Failure failure{errno, step};
    (void)!write(launch.failure, &failure, sizeof failure);
    _exit(127);
  };
  const auto call = [](long number, auto... arguments) { return syscall(number, arguments...) == 0; };
  must(setsid() >= 0, "making a session");
  for (const int number : {SIGPIPE, SIGHUP, SIGINT, SIGTERM}) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  must(sigprocmask(SIG_SETMASK, &none, nullptr) == 0, "unblocking signals");
  must(dup2(launch.input, STDIN_FILENO) >= 0 && dup2(launch.output, STDOUT_FILENO) >= 0 &&
           dup2(launch.output, STDERR_FILENO) >= 0,
       "opening its standard files");
  // A script's interpreter opens the script again by its descriptor, so that descriptor stays open.
  must(call(SYS_close_range, 3U, ~0U, static_cast<unsigned>(CLOSE_RANGE_CLOEXEC)) &&
           fcntl(launch.program, F_SETFD, 0) == 0,
       "closing descriptors");
  must(chdir("/") == 0, "going to /");
  umask(077);
  // Raw system calls, because the library's functions would change every thread of the daemon.
  must(call(SYS_setgroups, launch.user.groups.size(), launch.user.groups.data()) &&
           call(SYS_setresgid, launch.user.gid, launch.user.gid, launch.user.gid) &&
           call(SYS_setresuid, launch.user.uid, launch.user.uid, launch.user.uid),
       "becoming its user");
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "giving up new privileges");
  must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == launch.parent, "following the daemon's end");
  syscall(SYS_execveat, launch.program, "", launch.arguments, launch.environment, AT_EMPTY_PATH);
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

// Reads what is available; returns false at the end.
bool take_output(const Fd& from, CommandEnd& end) {
  std::array<char, 65536> piece;
  const ssize_t length = read(from.get(), piece.data(), piece.size());
  if (length <= 0) return length < 0 && (errno == EINTR || errno == EAGAIN);
  const auto bytes = static_cast<std::size_t>(length);
  const std::size_t kept = std::min(bytes, kMostOutput - end.output.size());
  end.output.append(piece.data(), kept);
  end.cut += bytes - kept;
  return true;
}

// Reads the output until the program ends or is out of time, then kills its group.
Result<CommandEnd> attend(const Command& command, pid_t child, const Fd& process, const Fd& output,
                          const source::Cancel& cancel) {
  CommandEnd end;
  const auto deadline = source::Deadline::in(command.timeout);
  bool cancelled = false, open = true;
  for (bool running = true; running;) {
    pollfd ends[] = {{process.get(), POLLIN, 0}, {open ? output.get() : -1, POLLIN, 0}};
    (void)poll(ends, std::size(ends), deadline.or_in(kLookAtCancel).milliseconds());
    if (ends[1].revents != 0) open = take_output(output, end);
    running = ends[0].revents == 0;
    cancelled = running && cancel.requested();
    end.timed_out = running && deadline.passed();
    if (cancelled || end.timed_out) break;
  }
  // The process number can't be reused before waitpid().
  kill(-child, SIGKILL);
  while (waitpid(child, &end.status, 0) < 0 && errno == EINTR) continue;
  if (cancelled) return fail(ECANCELED, "cancelled");
  // Reads what is left in the pipe. A process that escaped from the group may hold it open, so this does not
  // wait.
  for (pollfd rest{output.get(), POLLIN, 0}; open && end.cut == 0 && poll(&rest, 1, 0) > 0;)
    open = take_output(output, end);
  return end;
}

}  // namespace

std::string CommandEnd::sentence(std::chrono::milliseconds timeout) const {
  if (timed_out)
    return fmt::format("took longer than {} and was killed",
                       print_duration(std::chrono::ceil<std::chrono::seconds>(timeout)));
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  return fmt::format("exited with {}", WEXITSTATUS(status));
}

Result<CommandEnd> run_command(const Command& command, const source::Cancel& cancel) {
  HF_TRY(const Fd input, input_file(command.input));
  HF_TRY(Pipe output, make_pipe());
  HF_TRY(Pipe failures, make_pipe());
  std::vector<std::string> words{command.name}, environment = command.environment;
  const auto arguments = pointers(words), variables = pointers(environment);

  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return fail_errno("starting {}", command.name);
  if (child == 0)
    become_program({.program = command.program.get(),
                    .input = input.get(),
                    .output = output.write_end.get(),
                    .failure = failures.write_end.get(),
                    .user = command.user,
                    .arguments = arguments.data(),
                    .environment = variables.data(),
                    .parent = parent});
  output.write_end = Fd();
  failures.write_end = Fd();
  const Fd process(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  const auto launched = process ? await_launch(failures.read_end, command.name)
                                : Result<>(fail_errno("watching {}", command.name));
  if (!launched) {
    kill(child, SIGKILL);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
    return tl::make_unexpected(launched.error());
  }
  return attend(command, child, process, output.read_end, cancel);
}

}  // namespace holdfast::runs
