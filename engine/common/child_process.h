// A program of the host that runs as a given user with few rights.
//
// The program gets its own session and process group. It gains no privileges (no_new_privs), inherits only
// standard files and the descriptors that are given, and dies with the thread that started it, and so
// with the daemon.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/model/entities.h"

namespace holdfast {

struct Launch {
  const Fd& program;                     // open for reading; exactly this file is executed
  std::vector<std::string> arguments;    // argv; the first is the program's name, for sentences, too
  std::vector<std::string> environment;  // "NAME=value"
  Caller user;
  int input, output, errors;                                   // standard files
  std::vector<int> kept{};                                     // further descriptors, under their numbers
  std::vector<std::pair<__rlimit_resource, rlim_t>> limits{};  // resources that it may use
};

// One thread at a time.
class ChildProcess {
 public:
  // Returns once the program runs, or the error of the step that failed before.
  static Result<std::unique_ptr<ChildProcess>> start(Launch launch);
  ~ChildProcess() { end(); }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // A descriptor that is readable once the program has ended.
  const Fd& process() const { return process_; }
  // Kills the process group, and returns the program's status as waitpid(2) has it.
  int end();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  const pid_t pid_;
  Fd process_;
  bool ended_ = false;
  int status_ = 0;
};

// "exited with 3", "was killed by signal 9".
std::string describe_status(int status);

}  // namespace holdfast
