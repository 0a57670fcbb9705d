#include "tests/sources/peer_fuzz.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <optional>
#include <thread>

#include "catalog/base/mutex.h"
#include "engine/sources/qmp/agent.h"
#include "engine/sources/qmp/copy_filter.h"
#include "engine/sources/qmp/guest_disks.h"
#include "engine/sources/qmp/nodes.h"
#include "engine/sources/qmp/threads.h"
#include "tests/lib/temporary_directory.h"

namespace holdfast::source::qmp {
namespace {

constexpr char kBreak = '\xff';

// The lines of the input, which both servers take from.
class Script {
 public:
  explicit Script(std::string_view text) : rest_(text) {}

  std::optional<std::string> next() {
    const MutexLock lock(mutex_);
    if (rest_.empty()) return std::nullopt;
    const auto end = std::min(rest_.find('\n'), rest_.size());
    std::string line(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return line;
  }

 private:
  Mutex mutex_;
  std::string_view rest_ HF_GUARDED_BY(mutex_);
};

struct Answer {
  std::string text;
  bool is_last = false;  // the server hangs up behind it
};

// Serves one client after the other at a socket, until its last answer.
class Server {
 public:
  using Answers = std::function<Answer(const Json& request)>;

  Server(const std::string& path, std::string greeting, Answers answers)
      : greeting_(std::move(greeting)), answers_(std::move(answers)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ::unlink(path.c_str());
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener_.get(), 4) != 0)
      std::abort();
    thread_ = std::thread([this] { serve(); });
  }
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

 private:
  void serve() {
    for (bool more = true; more;) {
      const Fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!client) return;
      send(client, greeting_);
      more = hold(client);
    }
    ::shutdown(listener_.get(), SHUT_RDWR);
  }

  // Returns whether the client has hung up first.
  bool hold(const Fd& client) {
    std::string unread;
    for (;;) {
      char piece[4096];
      const ssize_t n = ::recv(client.get(), piece, sizeof piece, 0);
      if (n <= 0) return true;
      unread.append(piece, static_cast<std::size_t>(n));
      for (std::size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1)) {
        const std::size_t begin = unread.front() == kBreak ? 1 : 0;
        const Answer answer = answers_(Json::parse(unread.substr(begin, end - begin), nullptr, false));
        send(client, answer.text);
        if (answer.is_last) return false;
      }
    }
  }

  static void send(const Fd& client, std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (n < 0) return;  // the client has had enough
      text.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  const std::string greeting_;
  const Answers answers_;
  const Fd listener_{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::thread thread_;
};

std::string socket_path(const char* name) {
  static const test::TemporaryDirectory directory;
  return directory / name;
}

// Returns the script's bytes up to its next answer, and that answer between `before` and `after`.
Answer next_answer(Script& script, const std::string& before, const std::string& after) {
  Answer answer;
  for (;;) {
    const auto line = script.next();
    answer.is_last = !line;
    if (!line) return answer;
    const bool is_raw = line->starts_with('!');
    answer.text += is_raw ? line->substr(1) : before + *line + after;
    answer.text += '\n';
    if (!is_raw) return answer;
  }
}

Answer answer_of_qmp(Script& script, const Json& request) {
  const std::string before = R"({"id":)" + std::to_string(request.value("id", 0)) + R"(,"return":)";
  if (text_of(request, "execute") == "qmp_capabilities") return {before + "{}}\n"};
  return next_answer(script, before, "}");
}

Answer answer_of_agent(Script& script, const Json& request) {
  if (text_of(request, "execute") == "guest-sync-delimited")
    return {kBreak + Json{{"return", request["arguments"]["id"]}}.dump() + "\n"};
  return next_answer(script, R"({"return":)", "}");
}

// Asks everything of an agent. The script's answer to one question leads to the next.
void ask_agent(Monitor& monitor) {
  static_cast<void>(find_agent(monitor));
  const auto peer = monitor.peer();
  if (!peer) return;
  const auto agent = Agent::connect(*peer, socket_path("agent"), std::chrono::seconds{5});
  if (!agent) return;
  static_cast<void>((*agent)->freeze());
  static_cast<void>((*agent)->is_frozen());
  static_cast<void>((*agent)->thaw());
}

void ask_all(Monitor& monitor) {
  std::vector<std::string> names;
  if (const auto nodes = Nodes::of(monitor)) {
    static_cast<void>(nodes->names());
    for (const Node& node : nodes->all()) {
      static_cast<void>(node.bitmap("b"));
      names.push_back(node.name);
    }
  }
  if (const auto disks = GuestDisks::of(monitor)) static_cast<void>(disks->with("disk0"));
  static_cast<void>(has_copy_filters(monitor));
  static_cast<void>(errs_on_partly_copied(monitor));
  static_cast<void>(check_threads(monitor, names));
  ask_agent(monitor);
}

}  // namespace
}  // namespace holdfast::source::qmp

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
  using namespace holdfast::source::qmp;
  Script script(std::string_view{reinterpret_cast<const char*>(input), size});
  const Server qmp(socket_path("qmp"), "{\"QMP\":{}}\n",
                   [&](const Json& request) { return answer_of_qmp(script, request); });
  const Server agent(socket_path("agent"), "",
                     [&](const Json& request) { return answer_of_agent(script, request); });
  const std::chrono::seconds patience{5};
  ask_all(*Monitor::at(socket_path("qmp"), {.greeting = patience, .command = patience, .agent = patience}));
  return 0;
}
