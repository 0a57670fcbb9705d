// One connection to a QMP socket.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "catalog/base/error.h"
#include "catalog/base/fd.h"
#include "catalog/base/mutex.h"
#include "engine/common/deadline.h"
#include "engine/sources/qmp/peer.h"

namespace holdfast::source::qmp {

using Json = nlohmann::json;
// Prints on one line. Never throws: invalid UTF-8 is replaced, and QEMU will know no such name.
std::string print(const Json& json);
// Returns an object's member that is text; otherwise "". Never throws.
std::string text_of(const Json& object, const char* key);

struct Limits {
  std::chrono::milliseconds greeting{10'000};  // connecting and the greeting
  std::chrono::milliseconds command{30'000};
  std::chrono::milliseconds agent{30'000};  // for each answer of the guest's agent
};

// Sends commands to one QEMU or qemu-storage-daemon and receives its events. Any thread may call. Commands of
// several threads are in flight at once and get their answers by id. The class has no thread: one of the
// waiting threads reads for all.
//
// All waits are bounded. A command without an answer in time breaks the connection, because its result is
// unknown. From then on every call fails with the same sentence.
class Client {
 public:
  static Result<std::unique_ptr<Client>> connect(const std::string& socket, const Limits& limits);
  // Speaks over a non-blocking socket that is connected already; `name` stands for its path in sentences.
  static Result<std::unique_ptr<Client>> over(Fd socket, const std::string& name, const Limits& limits);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Returns QEMU's answer. If QEMU refuses, the sentence has its class and description: ENOSYS for an unknown
  // command, ENOENT for an unknown device, otherwise EREMOTEIO.
  Result<Json> execute(std::string_view command, const Json& arguments = Json::object());

  // The newest 1,024 events, of at most 4 MiB, are kept for all callers. A mark is a position among them;
  // take it before the command that causes the event.
  std::uint64_t mark();
  using Wanted = std::function<bool(const Json& event)>;
  // Returns the first wanted event after `mark`; nothing if the deadline passes first.
  Result<std::optional<Json>> wait_event(std::uint64_t mark, const Wanted& wanted, const Deadline& deadline);

  // Checks whether the other side has closed the connection.
  bool broken();
  Result<Peer> peer() const { return Peer::of(fd_); }

 private:
  Client(Fd fd, std::string socket, const Limits& limits)
      : fd_(std::move(fd)), socket_(std::move(socket)), limits_(limits) {}

  struct Event {
    Json message;
    std::size_t bytes = 0;  // size of its text
  };

  static Result<std::unique_ptr<Client>> begin(Fd fd, const std::string& socket, const Limits& limits,
                                               const Deadline& deadline);
  Result<> greet(const Deadline& deadline);
  Result<Json> execute_until(std::string_view command, const Json& arguments, const Deadline& deadline);
  // Reads, or lets another thread read, until `ready`. False if the deadline passes first.
  Result<bool> pump(const Deadline& deadline, const std::function<bool()>& ready) HF_REQUIRES(mutex_);
  Result<std::string> receive(const Deadline& deadline) const;
  Result<> send(std::string_view text, const Deadline& deadline) const;
  Result<> take_in(std::string_view text) HF_REQUIRES(mutex_);
  Result<> dispatch(std::string_view line) HF_REQUIRES(mutex_);
  void keep_event(Event event) HF_REQUIRES(mutex_);
  tl::unexpected<Error> break_with(Error error) HF_REQUIRES(mutex_);

  const Fd fd_;
  const std::string socket_;
  const Limits limits_;

  Mutex mutex_;
  // Signals that a message has come, the reading thread has left, or the connection is broken.
  CondVar arrived_;
  bool reading_ HF_GUARDED_BY(mutex_) = false;  // a thread is in receive()
  std::optional<Error> broken_ HF_GUARDED_BY(mutex_);
  std::string unfinished_line_ HF_GUARDED_BY(mutex_);
  bool greeted_ HF_GUARDED_BY(mutex_) = false;
  std::uint64_t last_id_ HF_GUARDED_BY(mutex_) = 0;
  std::set<std::uint64_t> awaited_ HF_GUARDED_BY(mutex_);        // requests without a reply
  std::map<std::uint64_t, Json> replies_ HF_GUARDED_BY(mutex_);  // replies that no thread has taken yet
  std::deque<Event> events_ HF_GUARDED_BY(mutex_);
  std::size_t event_bytes_ HF_GUARDED_BY(mutex_) = 0;
  std::uint64_t events_seen_ HF_GUARDED_BY(mutex_) = 0;  // the number of events so far
};

}  // namespace holdfast::source::qmp
