// Several connections to one export, used as one.
#pragma once

#include <poll.h>

#include <memory>
#include <vector>

#include "engine/sources/nbd/connection.h"

namespace holdfast::source::nbd {

// One thread at a time. What fails on one of them has failed: whoever goes on opens all anew.
class Connections {
 public:
  // `first`: one to that export, where there is one already.
  static Result<std::unique_ptr<Connections>> open(const Export& what, const Limits& limits,
                                                   std::unique_ptr<Connection> first);

  // Up to four, where the server promises that all of them see the same. One that it doesn't take is no
  // error: there are servers that promise and serve one client.
  void widen();

  Connection& first() { return *all_.front(); }
  Connection& idlest();
  bool are_alive() const;

  // Returns when something has moved on any of them; what was asked for may be done then. ETIMEDOUT after
  // such a silence of all, ECANCELED.
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
