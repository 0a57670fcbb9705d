// Runs one program of the host to its end, as a given user, with few rights and a time limit.
//
// The program is a ChildProcess with a group of its own, which is killed at the time limit, at a cancel, and
// when the program has ended but left processes running.
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
  const Fd& program;                     // open for reading; exactly this file is executed
  std::string name;                      // the program's argv[0]
  std::vector<std::string> environment;  // "NAME=value"
  std::string input;                     // the program's standard input
  Caller user;
  std::chrono::milliseconds timeout;
};

struct CommandEnd {
  int status = 0;          // as waitpid(2) returns it
  bool timed_out = false;  // killed at its time limit
  std::string output;      // standard output and error, at most kMostOutput bytes
  std::uint64_t cut = 0;   // number of further bytes that were dropped

  bool succeeded() const { return status == 0 && !timed_out; }
  // "exited with 3", "was killed by signal 9", "took longer than 5m and was killed".
  std::string sentence(std::chrono::milliseconds timeout) const;
};

constexpr std::size_t kMostOutput = 16 * 1024;

// Returns ECANCELED after a cancel; on any other error the program was not started. Any thread may call.
Result<CommandEnd> run_command(const Command& command, const source::Cancel& cancel);

}  // namespace holdfast::runs
