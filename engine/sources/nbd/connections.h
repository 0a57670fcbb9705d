// Several connections to one export, used as one.
#pragma once

#include <poll.h>

#include <memory>
#include <vector>

#include "engine/sources/nbd/connection.h"

namespace holdfast::source::nbd {

// One thread at a time. After an error on one connection all are useless; the caller opens new ones.
class Connections {
 public:
  // `first`: an open connection to that export, or null.
  static Result<std::unique_ptr<Connections>> open(const Export& what, const Limits& limits,
                                                   std::unique_ptr<Connection> first);

  // Opens up to four connections if the server promises that all of them see the same content. A connection
  // that it refuses is no error, because some servers promise this and serve one client.
  void widen();

  Connection& first() { return *all_.front(); }
  Connection& idlest();
  bool are_alive() const;

  // Returns when a connection has made progress, so that a request may be done. ETIMEDOUT after `silence` on
  // all connections; ECANCELED after a cancel.
  Result<> wait(const Cancel* cancel, std::chrono::milliseconds silence);

 private:
  Connections(const Export& what, const Limits& limits) : what_(what), limits_(limits) {}
  Result<bool> moved_within(std::chrono::milliseconds time);

  const Export what_;
  const Limits limits_;
  std::vector<std::unique_ptr<Connection>> all_;
  std::vector<pollfd> polled_;
  bool widened_ = false;
};

}  // namespace holdfast::source::nbd
