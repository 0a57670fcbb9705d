// Runs one program of the host's to its end: as somebody, with little, and not for long.
//
// It has a session and a process group of its own, which is killed as a whole when its time is over, at a
// cancel, and when it has ended but left something running. It gains no privileges (no_new_privs), inherits
// no descriptor but its own program, its input and its output, and no environment but what it is given. If
// the daemon dies, so does it.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/base/fd.h"
#include "catalog/model/entities.h"
#include "engine/sources/driver.h"

namespace holdfast::runs {

struct Command {
  const Fd& program;                     // open for reading: what runs is this very file
  std::string name;                      // as it sees itself
  std::vector<std::string> environment;  // "NAME=value"
  std::string input;                     // on its standard input
  Caller user;
  std::chrono::milliseconds timeout;
};

struct CommandEnd {
  int status = 0;          // as waitpid(2) has it
  bool timed_out = false;  // and was killed
  std::string output;      // of standard output and error, the first kMostOutput bytes
  std::uint64_t cut = 0;   // so many bytes more were thrown away

  bool succeeded() const { return status == 0 && !timed_out; }
  // "exited with 3", "was killed by signal 9", "took longer than 5m and was killed"
  std::string sentence(std::chrono::milliseconds timeout) const;
};

constexpr std::size_t kMostOutput = 16 * 1024;

// Any thread may call. ECANCELED after a cancel; any other error: it was never begun.
Result<CommandEnd> run_command(const Command& command, const source::Cancel& cancel);

}  // namespace holdfast::runs
