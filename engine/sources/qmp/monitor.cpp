#include "engine/sources/qmp/monitor.h"

#include <map>

#include "catalog/base/host_path.h"

namespace holdfast::source::qmp {

std::shared_ptr<Monitor> Monitor::at(const std::string& socket, const Limits& limits) {
  static Mutex mutex;
  static std::map<std::string, std::weak_ptr<Monitor>> monitors HF_GUARDED_BY(mutex);

  const auto found = look_up(socket);  // a path that can't be looked at is its own key
  const std::string& key = found ? found->real : socket;
  const MutexLock lock(mutex);
  std::erase_if(monitors, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<Monitor>& known = monitors[key];
  if (auto monitor = known.lock()) return monitor;
  std::shared_ptr<Monitor> monitor(new Monitor(socket, limits));
  known = monitor;
  return monitor;
}

Result<std::shared_ptr<Client>> Monitor::client() {
  const MutexLock lock(connecting_);
  if (!client_ || client_->broken()) {
    client_.reset();  // before connecting again, because the socket serves one client
    HF_TRY(client_, Client::connect(socket_, limits_));
  }
  return client_;
}

Result<> Monitor::connect() {
  HF_CHECK(client());
  return {};
}

Result<Peer> Monitor::peer() {
  HF_TRY(const auto connection, client());
  return connection->peer();
}

Result<int> Monitor::major_version() {
  HF_TRY(const Json version, execute("query-version"));
  const auto qemu = version.find("qemu");
  if (qemu == version.end()) return 0;
  const auto major = qemu->find("major");
  return major != qemu->end() && major->is_number_unsigned() ? major->get<int>() : 0;
}

Result<Json> Monitor::execute(std::string_view command, const Json& arguments) {
  HF_TRY(const auto connection, client());
  return connection->execute(command, arguments);
}

Result<> Monitor::wait_until(std::string_view what, const std::function<Result<bool>()>& done) {
  // Events only tell when to look again; `done` asks for the state. A missed event therefore does no harm.
  const auto relevant = [](const Json& event) {
    const std::string name = text_of(event, "event");
    return name == "JOB_STATUS_CHANGE" || name == "BLOCK_EXPORT_DELETED";
  };
  const Deadline deadline = Deadline::in(limits_.command);
  for (;;) {
    HF_TRY(const auto connection, client());
    const std::uint64_t mark = connection->mark();
    HF_TRY(const bool is_done, done());
    if (is_done) return {};
    if (deadline.passed()) return fail(ETIMEDOUT, "the source at {}: {} takes too long", socket_, what);
    HF_CHECK(connection->wait_event(mark, relevant, deadline.or_in(std::chrono::seconds{1})));
  }
}

}  // namespace holdfast::source::qmp
