// One QEMU or qemu-storage-daemon, as all captures of this process share it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "engine/sources/qmp/client.h"
#include "engine/sources/qmp/nbd_server.h"

namespace holdfast::source::qmp {

// Behind one QMP socket: the only connection that it admits, and the only NBD server that QEMU can run.
// Shared by the machines behind the socket; when the last of them lets go, the connection is closed, so
// that other programs get their turn between runs. Any thread may call.
class Source {
 public:
  // Makes no connection yet. Of those who share it, the first sets the limits.
  static std::shared_ptr<Source> at(const std::string& socket, const Limits& limits);

  const std::string& socket() const { return socket_; }
  const Limits& limits() const { return limits_; }
  NbdServer& nbd_server() { return nbd_server_; }

  // Connects when there is no connection or the last one broke.
  Result<> connect();
  // How this process reaches a file that the source names: by the source's own root and working directory,
  // which may be a container's. Nothing may be there, when it is no plain file, or on another host.
  Result<std::string> path_here(const std::string& file);
  // Of QEMU; 0 when it does not say.
  Result<int> major_version();
  Result<Json> execute(std::string_view command, const Json& arguments = Json::object());
  // Asks `done` again each time the source says that a job or an export has changed, until it says yes.
  Result<> wait_until(std::string_view what, const std::function<Result<bool>()>& done);

 private:
  Source(std::string socket, const Limits& limits) : socket_(std::move(socket)), limits_(limits) {}
  Result<std::shared_ptr<Client>> client();

  const std::string socket_;
  const Limits limits_;
  NbdServer nbd_server_{*this};
  std::mutex connecting_;
  std::shared_ptr<Client> client_;
};

}  // namespace holdfast::source::qmp
