#include "engine/runs/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "catalog/base/text.h"
#include "engine/common/child_process.h"
#include "engine/common/deadline.h"

namespace holdfast::runs {
namespace {

constexpr std::chrono::milliseconds kLookAtCancel{100};

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
Result<CommandEnd> attend(const Command& command, ChildProcess& child, const Fd& output,
                          const source::Cancel& cancel) {
  CommandEnd end;
  const auto deadline = source::Deadline::in(command.timeout);
  bool cancelled = false, open = true;
  for (bool running = true; running;) {
    pollfd ends[] = {{child.process().get(), POLLIN, 0}, {open ? output.get() : -1, POLLIN, 0}};
    (void)poll(ends, std::size(ends), deadline.or_in(kLookAtCancel).milliseconds());
    if (ends[1].revents != 0) open = take_output(output, end);
    running = ends[0].revents == 0;
    cancelled = running && cancel.requested();
    end.timed_out = running && deadline.passed();
    if (cancelled || end.timed_out) break;
  }
  end.status = child.end();
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
  return describe_status(status);
}

Result<CommandEnd> run_command(const Command& command, const source::Cancel& cancel) {
  HF_TRY(const Fd input, input_file(command.input));
  HF_TRY(Pipe output, make_pipe());
  HF_TRY(const auto child, ChildProcess::start({.program = command.program,
                                                .arguments = {command.name},
                                                .environment = command.environment,
                                                .user = command.user,
                                                .input = input.get(),
                                                .output = output.write_end.get(),
                                                .errors = output.write_end.get()}));
  output.write_end = Fd();
  return attend(command, *child, output.read_end, cancel);
}

}  // namespace holdfast::runs
