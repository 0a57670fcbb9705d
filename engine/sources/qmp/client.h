// One connection to a QMP socket.
#pragma once

#include <sys/types.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"
#include "engine/sources/deadline.h"

namespace holdfast::source::qmp {

using Json = nlohmann::json;
// On one line. Never throws: what is no UTF-8 is replaced, and QEMU will know no such name.
std::string print(const Json& json);
// An object's member that is text; "" for anything else. Never throws.
std::string text_of(const Json& object, const char* key);

struct Limits {
  std::chrono::milliseconds greeting{10'000};  // from connecting to the first command
  std::chrono::milliseconds command{30'000};
  std::chrono::milliseconds agent{30'000};  // each answer of the guest's agent
};

// Commands and events of one QEMU or qemu-storage-daemon. Any thread may call anything; commands of several
// threads are in flight at the same time and find their answers by id. It has no thread of its own: one of
// those that wait reads for all of them.
//
// Never blocks for ever. A command without an answer in time breaks the connection, since nobody can
// say any more what became of it; from then on every call fails with the same sentence.
class Client {
 public:
  static Result<std::unique_ptr<Client>> connect(const std::string& socket, const Limits& limits);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // What QEMU returns. A refusal has QEMU's class and description in its sentence: ENOSYS for a command
  // that it does not know, ENOENT for a device, EREMOTEIO for all others.
  Result<Json> execute(std::string_view command, const Json& arguments = Json::object());

  // The newest 1,024 events are kept, for whoever asks. A mark is a place among them: take it before the
  // command that causes the event.
  std::uint64_t mark();
  using Wanted = std::function<bool(const Json& event)>;
  // The first one after `mark` that is wanted; nothing when the deadline passes.
  Result<std::optional<Json>> wait_event(std::uint64_t mark, const Wanted& wanted, const Deadline& deadline);

  // Looks whether the other side is still there.
  bool broken();
  // The process that listens; 0 when it can't be seen from here.
  pid_t peer() const;

 private:
  Client(Fd fd, std::string socket, const Limits& limits)
      : fd_(std::move(fd)), socket_(std::move(socket)), limits_(limits) {}

  Result<> greet(const Deadline& deadline);
  Result<Json> execute_until(std::string_view command, const Json& arguments, const Deadline& deadline);
  // Reads, or lets another thread read, until `ready`; false when the deadline passes first.
  Result<bool> pump(std::unique_lock<std::mutex>& lock, const Deadline& deadline,
                    const std::function<bool()>& ready);
  Result<std::string> receive(const Deadline& deadline) const;
  Result<> send(std::string_view text, const Deadline& deadline) const;
  Result<> take_in(std::string_view text);
  Result<> dispatch(std::string_view line);
  tl::unexpected<Error> break_with(Error error);

  const Fd fd_;
  const std::string socket_;
  const Limits limits_;

  std::mutex mutex_;
  std::condition_variable arrived_;  // something has come, the reader has left, or the connection is broken
  bool reading_ = false;             // a thread is in receive()
  std::optional<Error> broken_;
  std::string unfinished_line_;
  bool greeted_ = false;
  std::uint64_t last_id_ = 0;
  std::map<std::uint64_t, Json> replies_;  // that nobody has fetched yet
  std::deque<Json> events_;
  std::uint64_t events_seen_ = 0;  // the number of the one after the last in events_
};

}  // namespace holdfast::source::qmp
