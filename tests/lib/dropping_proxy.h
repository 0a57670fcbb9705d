// Stands between a client and a server on unix sockets, and drops connections.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "catalog/base/fd.h"

namespace holdfast::test {

// Ends each of the first `drops` connections after `after_bytes` bytes from the server; later connections
// pass everything on. Serves one connection at a time.
class DroppingProxy {
 public:
  DroppingProxy(const std::string& listen_at, std::string server, int drops, std::size_t after_bytes)
      : server_(std::move(server)), drops_(drops), after_bytes_(after_bytes), listener_(bound(listen_at)) {
    ::listen(listener_.get(), 8);
    thread_ = std::thread([this] { serve(); });
  }
  ~DroppingProxy() {
    ending_ = true;
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
  }

  int connections() const { return connections_; }

 private:
  static sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  static Fd bound(const std::string& path) {
    Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    const sockaddr_un address = address_of(path);
    ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    return fd;
  }

  void serve() {
    while (!ending_) {
      const Fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!client) return;
      const Fd server{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
      const sockaddr_un address = address_of(server_);
      if (::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
      const bool drop = connections_++ < drops_;
      pass_on(client.get(), server.get(), drop ? after_bytes_ : SIZE_MAX);
    }
  }

  void pass_on(int client, int server, std::size_t at_most) {
    std::vector<char> buffer(64 * 1024);
    pollfd ends[] = {{.fd = client, .events = POLLIN, .revents = 0},
                     {.fd = server, .events = POLLIN, .revents = 0}};
    for (std::size_t passed = 0; passed < at_most && !ending_;) {
      if (::poll(ends, 2, 100) < 0) return;
      for (const bool from_server : {false, true}) {
        if ((ends[from_server].revents & (POLLIN | POLLHUP)) == 0) continue;
        const ssize_t got = ::read(ends[from_server].fd, buffer.data(), buffer.size());
        if (got <= 0) return;
        if (from_server) passed += static_cast<std::size_t>(got);
        for (ssize_t done = 0; done < got;) {
          const ssize_t put = ::send(from_server ? client : server, buffer.data() + done,
                                     static_cast<std::size_t>(got - done), MSG_NOSIGNAL);
          if (put < 0) return;
          done += put;
        }
      }
    }
  }

  const std::string server_;
  const int drops_;
  const std::size_t after_bytes_;
  const Fd listener_;
  std::atomic<bool> ending_{false};
  std::atomic<int> connections_{0};
  std::thread thread_;
};

}  // namespace holdfast::test
