// The agent in a guest (qemu-guest-agent), which can bring the guest's file systems to rest.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "catalog/base/fd.h"
#include "engine/sources/qmp/source.h"

namespace holdfast::source::qmp {

// Where QEMU listens for whoever wants to speak to its guest's agent.
struct AgentPlace {
  std::string path;     // of the socket, as it is reached from here; "" when there is no agent to speak to
  std::string why_not;  // then: half a sentence
};
// By the virtual serial port that is the agent's by its name. A storage daemon has no guest.
Result<AgentPlace> find_agent(Source& source);

// One connection to an agent. Each answer has a deadline, and after one that was missed nothing more can be
// asked. One thread at a time.
class Agent {
 public:
  static Result<std::unique_ptr<Agent>> connect(const std::string& path, std::chrono::milliseconds patience);

  // All file systems hold still; how many there are. Thaw whatever it returns: an agent that answers too late
  // freezes all the same.
  Result<std::uint64_t> freeze();
  Result<bool> is_frozen();
  // An agent that is still about to freeze thaws as the next thing it does.
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
