// A QMP server that takes a connection and never answers, so that a run stays where it asks its source.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "catalog/base/fd.h"
#include "tests/lib/must.h"

namespace holdfast::test {

// Listens until it goes; the run then fails.
class SilentSource {
 public:
  explicit SilentSource(const std::string& path) : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener_.get(), 1) != 0)
      throw std::runtime_error("listening at " + path + " failed");
  }

  // Waits until a run has connected.
  void accept_run() {
    run_ = Fd(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!run_) throw std::runtime_error("accepting a run's connection failed");
  }

 private:
  Fd listener_, run_;
};

}  // namespace holdfast::test
