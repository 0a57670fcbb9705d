// The one NBD server that a QEMU can run.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "catalog/base/error.h"
#include "catalog/base/id.h"
#include "catalog/base/mutex.h"

namespace holdfast::source::qmp {

class Monitor;

// Started by the first capture that needs it, stopped by the last. Its socket lies in a directory that only
// the daemon's user can enter. The socket also identifies the server, because QEMU can't say where its server
// listens. A server that listens elsewhere is not ours and is never stopped. Any thread may call.
class NbdServer {
 public:
  explicit NbdServer(Monitor& monitor) : monitor_(monitor) {}

  // Returns the path of the socket, in a directory `name` of its own in `scratch`.
  static std::string socket_in(const std::string& scratch, const std::string& name);

  // Joins the running server, or starts one at `fresh_path`. Calls `record` with the path before it makes
  // anything; the id that it returns is the user's name for leave(). EBUSY: a server that is not ours is
  // running.
  using Record = std::function<Result<Id>(const std::string& path)>;
  Result<std::string> join(const std::string& fresh_path, const Record& record);
  // Stops the server and removes its directory if `user` is the last one. A server that is gone, and a user
  // of an earlier life, are no errors.
  Result<> leave(const std::string& path, Id user);
  // The lock that all connections to the server share (see nbd::Export).
  const std::shared_ptr<SharedMutex>& negotiation() const { return negotiation_; }

 private:
  Result<> start(const std::string& path) HF_REQUIRES(mutex_);
  Result<> stop(const std::string& path) HF_REQUIRES(mutex_);

  Monitor& monitor_;
  Mutex mutex_;
  std::string path_ HF_GUARDED_BY(mutex_);  // the running server's; "" if none was started in this life
  const std::shared_ptr<SharedMutex> negotiation_ = std::make_shared<SharedMutex>();
  std::set<Id> users_ HF_GUARDED_BY(mutex_);
};

}  // namespace holdfast::source::qmp
