#pragma once

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace holdfast::test {

// A child program of a test. Destruction kills the program, and so does the death of the test.
class Process {
 public:
  Process() = default;
  explicit Process(const std::vector<std::string>& command) {
    // Spawned, not forked: a fork copies the page tables of a sanitizer's shadow memory.
    std::vector<std::string> words{"setpriv", "--pdeathsig", "KILL", "--"};
    words.insert(words.end(), command.begin(), command.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDWR, 0);
    const int failure = ::posix_spawnp(&pid_, arguments[0], &files, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&files);
    if (failure != 0) throw std::system_error(failure, std::generic_category(), "starting " + command[0]);
  }
  Process(Process&& other) noexcept : pid_(std::exchange(other.pid_, 0)) {}
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Process() {
    if (pid_ > 0) end(SIGKILL);
  }

  bool started() const { return pid_ > 0; }
  bool runs() const {  // wait() still gets the exit status
    siginfo_t ended{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           ended.si_pid == 0;
  }
  void signal(int number) const { ::kill(pid_, number); }
  // Sends the signal, waits for the end, and returns the status of waitpid.
  int end(int number) {
    signal(number);
    return wait();
  }
  int wait() {
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }
  // Runs a program to its end. Returns its exit code, or -1 when a signal ended the program.
  static int run(const std::vector<std::string>& command) {
    const int status = Process(command).wait();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = 0;
};

}  // namespace holdfast::test
