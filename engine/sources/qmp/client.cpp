#include "engine/sources/qmp/client.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "catalog/base/bytes.h"
#include "catalog/base/cut.h"
#include "catalog/base/waits.h"
#include "catalog/model/json_text.h"
#include "catalog/model/outside_json.h"
#include "engine/sources/qmp/unix_socket.h"

namespace holdfast::source::qmp {
namespace {

constexpr std::size_t kEventsKept = 1024;
constexpr std::size_t kEventBytesKept = 4 * kMiB;
constexpr std::size_t kLongestLine = 8 * kMiB;

int errno_of(const std::string& error_class) {
  if (error_class == "CommandNotFound") return ENOSYS;
  if (error_class == "DeviceNotFound") return ENOENT;
  return EREMOTEIO;
}

}  // namespace

std::string print(const Json& json) { return json::compact(json); }

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

Result<std::unique_ptr<Client>> Client::connect(const std::string& socket, const Limits& limits) {
  const Deadline deadline = Deadline::in(limits.greeting);
  HF_TRY(Fd fd, connect_unix(socket, "QMP socket", deadline));
  return begin(std::move(fd), socket, limits, deadline);
}

Result<std::unique_ptr<Client>> Client::over(Fd socket, const std::string& name, const Limits& limits) {
  return begin(std::move(socket), name, limits, Deadline::in(limits.greeting));
}

Result<std::unique_ptr<Client>> Client::begin(Fd fd, const std::string& socket, const Limits& limits,
                                              const Deadline& deadline) {
  std::unique_ptr<Client> client(new Client(std::move(fd), socket, limits));
  HF_CHECK(client->greet(deadline));
  HF_CHECK(client->execute_until("qmp_capabilities", Json::object(), deadline));
  return client;
}

Result<> Client::greet(const Deadline& deadline) {
  const MutexLock lock(mutex_);
  HF_TRY(const bool greeted, pump(deadline, [this]() HF_REQUIRES(mutex_) { return greeted_; }));
  if (!greeted)
    return fail(EBUSY,
                "QMP socket {} gives no greeting: it serves one client at a time, and another program holds "
                "it (or QEMU hangs); give Holdfast a QMP socket of its own",
                socket_);
  return {};
}

Result<Json> Client::execute(std::string_view command, const Json& arguments) {
  return execute_until(command, arguments, Deadline::in(limits_.command));
}

Result<Json> Client::execute_until(std::string_view command, const Json& arguments,
                                   const Deadline& deadline) {
  may_wait(socket_);
  const MutexLock lock(mutex_);
  if (broken_) return tl::make_unexpected(*broken_);
  const std::uint64_t id = ++last_id_;
  Json request{{"execute", command}, {"id", id}};
  if (!arguments.empty()) request["arguments"] = arguments;
  awaited_.insert(id);
  if (auto sent = send(print(request) + "\n", deadline); !sent) return break_with(std::move(sent).error());
  HF_TRY(const bool answered, pump(deadline, [&]() HF_REQUIRES(mutex_) { return replies_.contains(id); }));
  if (!answered)
    return break_with(Error{
        ETIMEDOUT, fmt::format("the source at {} has not answered {} in time: it hangs", socket_, command)});
  Json reply = std::move(replies_.extract(id).mapped());
  if (const auto error = reply.find("error"); error != reply.end()) {
    const std::string error_class = text_of(*error, "class");
    return fail(errno_of(error_class), "the source at {} refuses {}: {}: {}", socket_, command,
                cut(error_class, kLongestQuote), cut(text_of(*error, "desc"), kLongestQuote));
  }
  return std::move(reply["return"]);
}

std::uint64_t Client::mark() {
  const MutexLock lock(mutex_);
  return events_seen_;
}

Result<std::optional<Json>> Client::wait_event(std::uint64_t mark, const Wanted& wanted,
                                               const Deadline& deadline) {
  const MutexLock lock(mutex_);
  std::optional<Json> found;
  const auto look = [&]() HF_REQUIRES(mutex_) {
    const std::uint64_t oldest = events_seen_ - events_.size();
    for (mark = std::max(mark, oldest); mark < events_seen_ && !found; ++mark)
      if (const Json& event = events_[mark - oldest].message; wanted(event)) found = event;
    return found.has_value();
  };
  HF_CHECK(pump(deadline, look));
  return found;
}

bool Client::broken() {
  const MutexLock lock(mutex_);
  for (bool more = true; more && !broken_ && !reading_;) {
    const auto text = receive(Deadline::in(std::chrono::milliseconds{0}));
    if (!text) {
      break_with(text.error());
    } else if (auto taken = take_in(*text); !taken) {
      break_with(std::move(taken).error());
    } else {
      more = !text->empty();
    }
  }
  return broken_.has_value();
}

Result<bool> Client::pump(const Deadline& deadline, const std::function<bool()>& ready) {
  while (!ready()) {
    if (broken_) return tl::make_unexpected(*broken_);
    if (deadline.passed()) return false;
    if (reading_) {
      arrived_.wait_until(mutex_, deadline.at());
      continue;
    }
    reading_ = true;
    Result<std::string> text;
    {
      const MutexUnlock unlocked(mutex_);
      text = receive(deadline);
    }
    reading_ = false;
    if (!text) return break_with(text.error());
    if (auto taken = take_in(*text); !taken) return break_with(std::move(taken).error());
    arrived_.notify_all();
  }
  return true;
}

// Returns the bytes received; "" if the deadline passes first.
Result<std::string> Client::receive(const Deadline& deadline) const {
  pollfd wait{fd_.get(), POLLIN, 0};
  if (::poll(&wait, 1, deadline.milliseconds()) < 0 && errno != EINTR)
    return fail_errno("waiting for QMP socket {}", socket_);
  if (wait.revents == 0) return std::string{};
  std::string text(64 * kKiB, '\0');
  const ssize_t n = ::recv(fd_.get(), text.data(), text.size(), MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return std::string{};
  if (n < 0) return fail_errno("reading QMP socket {}", socket_);
  if (n == 0)
    return fail(ECONNRESET, "the source at {} has closed its QMP connection: it has ended or was restarted",
                socket_);
  text.resize(static_cast<std::size_t>(n));
  return text;
}

Result<> Client::send(std::string_view text, const Deadline& deadline) const {
  auto sent = send_all(fd_, text, deadline);
  if (sent) return sent;
  switch (sent.error().code) {
    case EPIPE:
    case ECONNRESET:
      return fail(ECONNRESET, "the source at {} has closed its QMP connection: it has ended or was restarted",
                  socket_);
    case ETIMEDOUT: return fail(ETIMEDOUT, "the source at {} takes no commands: it hangs", socket_);
    default: return within(std::move(sent).error(), "writing to QMP socket {}", socket_);
  }
}

Result<> Client::take_in(std::string_view text) {
  unfinished_line_ += text;
  std::size_t begin = 0;
  for (std::size_t end; (end = unfinished_line_.find('\n', begin)) != std::string::npos; begin = end + 1)
    HF_CHECK(dispatch(std::string_view{unfinished_line_}.substr(begin, end - begin)));
  unfinished_line_.erase(0, begin);
  if (unfinished_line_.size() > kLongestLine)
    return fail(EPROTO, "{} sends a line of more than {} bytes, so it does not speak QMP", socket_,
                kLongestLine);
  return {};
}

Result<> Client::dispatch(std::string_view line) {
  auto parsed = json::parse_outside(line);
  if (!parsed) return within(std::move(parsed).error(), "{} does not speak QMP", socket_);
  Json& message = *parsed;
  if (!message.is_object())
    return fail(EPROTO, "{} does not speak QMP: '{}'", socket_, cut(line, kLongestQuote));
  if (message.contains("QMP")) {
    greeted_ = true;
  } else if (message.contains("event")) {
    keep_event({std::move(message), line.size()});
  } else if (const auto id = message.find("id"); id != message.end() && id->is_number_unsigned() &&
                                                 awaited_.erase(id->get<std::uint64_t>()) == 1) {
    const auto number = id->get<std::uint64_t>();
    replies_.emplace(number, std::move(message));
  } else {
    return fail(EPROTO, "{} sends an answer without a request: '{}'", socket_, cut(line, kLongestQuote));
  }
  return {};
}

void Client::keep_event(Event event) {
  event_bytes_ += event.bytes;
  events_.push_back(std::move(event));
  ++events_seen_;
  for (; events_.size() > kEventsKept || event_bytes_ > kEventBytesKept; events_.pop_front())
    event_bytes_ -= events_.front().bytes;
}

tl::unexpected<Error> Client::break_with(Error error) {
  if (!broken_) broken_ = std::move(error);
  ::shutdown(fd_.get(), SHUT_RDWR);  // also wakes a reading thread
  arrived_.notify_all();
  return tl::make_unexpected(*broken_);
}

}  // namespace holdfast::source::qmp
