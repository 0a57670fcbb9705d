#include "engine/sources/qmp/agent.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "catalog/base/cut.h"
#include "catalog/base/id.h"
#include "catalog/model/outside_json.h"
#include "engine/sources/qmp/unix_socket.h"

namespace holdfast::source::qmp {
namespace {

constexpr std::string_view kPort = "org.qemu.guest_agent.0";
constexpr char kBreak = '\xff';  // ends an unfinished request of an earlier client
constexpr std::size_t kLongestReply = 1 << 20;

// Returns the chardev behind the agent's port; "" if the guest has no such port.
Result<std::string> agent_chardev(Monitor& monitor) {
  for (const std::string folder : {"/machine/peripheral", "/machine/peripheral-anon"}) {
    const auto devices = monitor.execute("qom-list", {{"path", folder}});
    if (!devices && devices.error().code == EREMOTEIO) continue;
    if (!devices && (devices.error().code == ENOSYS || devices.error().code == ENOENT)) continue;
    if (!devices) return tl::make_unexpected(devices.error());
    for (const Json& device : *devices) {
      if (text_of(device, "type") != "child<virtserialport>") continue;
      const std::string path = folder + "/" + text_of(device, "name");
      HF_TRY(const Json name, monitor.execute("qom-get", {{"path", path}, {"property", "name"}}));
      if (name != kPort) continue;
      HF_TRY(const Json chardev, monitor.execute("qom-get", {{"path", path}, {"property", "chardev"}}));
      return chardev.is_string() ? chardev.get<std::string>() : "";
    }
  }
  return "";
}

// Parses "disconnected:unix:/run/agent,server=on"; the first word is absent while a client is connected.
std::string listening_at(std::string_view filename) {
  constexpr std::string_view kFree = "disconnected:", kUnix = "unix:";
  if (filename.starts_with(kFree)) filename.remove_prefix(kFree.size());
  const auto server = filename.rfind(",server");
  if (!filename.starts_with(kUnix) || server == std::string_view::npos) return "";
  return std::string(filename.substr(kUnix.size(), server - kUnix.size()));
}

std::string command_line(std::string_view command) { return print(Json{{"execute", command}}) + "\n"; }

AgentSocket nowhere(std::string why) { return {.path = "", .why_not = std::move(why)}; }

}  // namespace

Result<AgentSocket> find_agent(Monitor& monitor) {
  HF_TRY(const std::string chardev, agent_chardev(monitor));
  if (chardev.empty()) return nowhere("it has no port for an agent");
  HF_TRY(const Json chardevs, monitor.execute("query-chardev"));
  const auto found =
      std::ranges::find_if(chardevs, [&](const Json& each) { return text_of(each, "label") == chardev; });
  if (found == chardevs.end()) return nowhere("the port of its agent leads nowhere");
  if (const auto open = found->find("frontend-open"); open == found->end() || *open != true)
    return nowhere("no agent runs in it");
  const std::string filename = text_of(*found, "filename");
  const std::string path = listening_at(filename);
  if (path.empty())
    return nowhere(fmt::format(
        "the port of its agent leads to '{}', which is no unix socket that QEMU listens at", filename));
  return AgentSocket{.path = path, .why_not = ""};
}

Result<std::unique_ptr<Agent>> Agent::connect(const Peer& peer, const std::string& path,
                                              std::chrono::milliseconds patience) {
  const Deadline deadline = Deadline::in(patience);
  HF_TRY(Fd fd, peer.connect(path, "agent socket", deadline));
  std::unique_ptr<Agent> agent(new Agent(std::move(fd), path, patience));
  HF_CHECK(agent->synchronise(deadline));
  return agent;
}

std::unique_ptr<Agent> Agent::over(Fd socket, const std::string& name, std::chrono::milliseconds patience) {
  return std::unique_ptr<Agent>(new Agent(std::move(socket), name, patience));
}

// The agent may still answer an earlier client. Our answers come after the echo of a random number.
Result<> Agent::synchronise(const Deadline& deadline) {
  const auto number = static_cast<std::uint64_t>(new_id());
  const Json sync{{"execute", "guest-sync-delimited"}, {"arguments", {{"id", number}}}};
  HF_CHECK(send(kBreak + print(sync) + "\n", deadline));
  for (;;) {
    HF_TRY(std::string line, receive_line(deadline));
    if (const auto at = line.rfind(kBreak); at != std::string::npos) line.erase(0, at + 1);
    const auto answer = json::parse_outside(line);
    if (answer && answer->is_object() && answer->value("return", Json()) == number) return {};
  }
}

Result<std::uint64_t> Agent::freeze() {
  HF_TRY(const Json frozen, execute("guest-fsfreeze-freeze"));
  if (!frozen.is_number_unsigned())
    return fail(EPROTO, "the guest's agent answers a freeze with '{}', not with a number",
                cut(print(frozen), kLongestQuote));
  return frozen.get<std::uint64_t>();
}

Result<bool> Agent::is_frozen() {
  HF_TRY(const Json status, execute("guest-fsfreeze-status"));
  return status == "frozen";
}

// The answer is skipped, together with a late answer to the freeze.
Result<> Agent::thaw() {
  const Deadline deadline = Deadline::in(patience_);
  HF_CHECK(send(command_line("guest-fsfreeze-thaw"), deadline));
  HF_CHECK(synchronise(deadline));
  HF_TRY(const bool still, is_frozen());
  if (still)
    return fail(EIO, "the guest's file systems are still frozen after its agent was told to thaw them");
  return {};
}

Result<Json> Agent::execute(std::string_view command) {
  const Deadline deadline = Deadline::in(patience_);
  HF_CHECK(send(command_line(command), deadline));
  HF_TRY(const std::string line, receive_line(deadline));
  auto answer = json::parse_outside(line);
  if (!answer) return within(std::move(answer).error(), "reading the guest's agent's answer to {}", command);
  if (!answer->is_object())
    return fail(EPROTO, "the guest's agent answers {} with '{}'", command, cut(line, kLongestQuote));
  if (const auto error = answer->find("error"); error != answer->end())
    return fail(EREMOTEIO, "the guest's agent refuses {}: {}", command,
                cut(text_of(*error, "desc"), kLongestQuote));
  return std::move((*answer)["return"]);
}

Result<> Agent::send(std::string_view text, const Deadline& deadline) const {
  auto sent = send_all(fd_, text, deadline);
  if (sent) return sent;
  if (sent.error().code == ETIMEDOUT)
    return fail(ETIMEDOUT, "the guest's agent at {} takes no commands", path_);
  return within(std::move(sent).error(), "writing to the guest's agent at {}", path_);
}

Result<std::string> Agent::receive_line(const Deadline& deadline) {
  for (;;) {
    if (const auto end = unread_.find('\n'); end != std::string::npos) {
      std::string line = unread_.substr(0, end);
      unread_.erase(0, end + 1);
      return line;
    }
    if (unread_.size() > kLongestReply) return fail(EPROTO, "the program at {} is no guest agent", path_);
    pollfd wait{fd_.get(), POLLIN, 0};
    if (::poll(&wait, 1, deadline.milliseconds()) < 0 && errno != EINTR)
      return fail_errno("waiting for the guest's agent at {}", path_);
    char piece[4096];
    const ssize_t n = ::recv(fd_.get(), piece, sizeof piece, MSG_DONTWAIT);
    if (n > 0) unread_.append(piece, static_cast<std::size_t>(n));
    if (n == 0) return fail(ECONNRESET, "QEMU has closed the socket of the guest's agent, {}", path_);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
      return fail_errno("reading from the guest's agent at {}", path_);
    if (n < 0 && deadline.passed())
      return fail(
          ETIMEDOUT,
          "the guest's agent at {} has not answered in time: it hangs, or another program is connected to it",
          path_);
  }
}

}  // namespace holdfast::source::qmp
