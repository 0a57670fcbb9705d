// One QEMU or qemu-storage-daemon, shared by all captures of this process.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "catalog/base/mutex.h"
#include "engine/sources/qmp/client.h"
#include "engine/sources/qmp/nbd_server.h"

namespace holdfast::source::qmp {

// Holds the only connection that a QMP socket admits, and the only NBD server that QEMU can run. All machines
// behind the socket share it. When the last capture releases it, the connection closes, so that other
// programs get their turn between runs. Any thread may call.
class Monitor {
 public:
  // Makes no connection yet. The first of those who share it sets the limits.
  static std::shared_ptr<Monitor> at(const std::string& socket, const Limits& limits);

  const std::string& socket() const { return socket_; }
  const Limits& limits() const { return limits_; }
  NbdServer& nbd_server() { return nbd_server_; }

  // Connects if there is no connection, or if the last one broke.
  Result<> connect();
  // Opens what the source names.
  Result<Peer> peer();
  // QEMU's; 0 if it does not say.
  Result<int> major_version();
  Result<Json> execute(std::string_view command, const Json& arguments = Json::object());
  // Calls `done` again whenever the source reports a change of a job or an export, until it returns true.
  Result<> wait_until(std::string_view what, const std::function<Result<bool>()>& done);

 private:
  Monitor(std::string socket, const Limits& limits) : socket_(std::move(socket)), limits_(limits) {}
  Result<std::shared_ptr<Client>> client();

  const std::string socket_;
  const Limits limits_;
  NbdServer nbd_server_{*this};
  Mutex connecting_;
  std::shared_ptr<Client> client_ HF_GUARDED_BY(connecting_);
};

}  // namespace holdfast::source::qmp
