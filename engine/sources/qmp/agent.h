// The agent in a guest (qemu-guest-agent), which can freeze the guest's file systems.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "catalog/base/fd.h"
#include "engine/sources/qmp/monitor.h"

namespace holdfast::source::qmp {

// The socket at which QEMU serves the guest's agent.
struct AgentSocket {
  std::string path;     // as the source names it; "" if there is no agent to speak to
  std::string why_not;  // the reason then: half a sentence
};
// Finds the virtual serial port with the agent's name. A storage daemon has no guest, so no agent.
Result<AgentSocket> find_agent(Monitor& monitor);

// One connection to an agent. Each answer has a deadline. One thread at a time.
class Agent {
 public:
  // `peer` is the source that serves the socket.
  static Result<std::unique_ptr<Agent>> connect(const Peer& peer, const std::string& path,
                                                std::chrono::milliseconds patience);
  // Speaks over a non-blocking socket that is connected already; the agent may not run yet.
  static std::unique_ptr<Agent> over(Fd socket, const std::string& name, std::chrono::milliseconds patience);

  // Whether an agent answers now; ETIMEDOUT until it runs.
  Result<> ping() { return synchronise(Deadline::in(patience_)); }
  // Freezes all file systems; returns their number. Always call thaw() afterwards, because an agent that
  // answers too late freezes all the same.
  Result<std::uint64_t> freeze();
  Result<bool> is_frozen();
  // Thaws. An agent that is still about to freeze thaws right after that.
  Result<> thaw();

 private:
  Agent(Fd fd, std::string path, std::chrono::milliseconds patience)
      : fd_(std::move(fd)), path_(std::move(path)), patience_(patience) {}

  Result<> synchronise(const Deadline& deadline);
  Result<Json> execute(std::string_view command);
  Result<> send(std::string_view text, const Deadline& deadline) const;
  Result<std::string> receive_line(const Deadline& deadline);

  const Fd fd_;
  const std::string path_;
  const std::chrono::milliseconds patience_;
  std::string unread_;
};

}  // namespace holdfast::source::qmp
