#include "engine/sources/qmp/nbd_server.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <filesystem>

#include "catalog/base/disk.h"
#include "engine/sources/nbd/connection.h"
#include "engine/sources/qmp/monitor.h"

namespace holdfast::source::qmp {
namespace {

Result<> check_length(const std::string& path) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un::sun_path) - 1;
  if (path.size() <= kLongest) return {};
  return fail(ENAMETOOLONG,
              "the path of the NBD socket, {}, has {} bytes, and a socket's path may have {}: use a state "
              "directory with a shorter path",
              path, path.size(), kLongest);
}

// The directory of a socket: `name` in `scratch`.
struct SocketDirectory {
  std::string scratch;
  std::string name;
};
SocketDirectory directory_of(const std::string& path) {
  const auto directory = std::filesystem::path(path).parent_path();
  return {directory.parent_path().string(), directory.filename().string()};
}

}  // namespace

std::string NbdServer::socket_in(const std::string& scratch, const std::string& name) {
  return scratch + "/" + name + "/nbd";
}

Result<std::string> NbdServer::join(const std::string& fresh_path, const Record& record) {
  const MutexLock lock(mutex_);
  if (!path_.empty()) {
    HF_TRY(const bool runs, nbd::answers(path_, {}));
    if (runs) {
      HF_TRY(const Id user, record(path_));
      users_.insert(user);
      return path_;
    }
  }
  HF_CHECK(check_length(fresh_path));
  HF_TRY(const Id user, record(fresh_path));
  HF_CHECK(start(fresh_path));
  path_ = fresh_path;
  users_ = {user};
  return path_;
}

Result<> NbdServer::start(const std::string& path) {
  const SocketDirectory directory = directory_of(path);
  HF_TRY(const auto scratch, open_directory(directory.scratch));
  HF_CHECK(scratch->make_directory(directory.name));
  const auto started =
      monitor_.execute("nbd-server-start", {{"addr", {{"type", "unix"}, {"data", {{"path", path}}}}}});
  if (!started) {
    if (started.error().message.find("already running") == std::string::npos)
      return tl::make_unexpected(started.error());
    return fail(
        EBUSY,
        "the source at {} already runs an NBD server that is not Holdfast's, and QEMU can run one only: "
        "stop it (nbd-server-stop), or wait for the program that uses it",
        monitor_.socket());
  }
  if (::chmod(path.c_str(), 0600) != 0) return fail_errno("making NBD socket {} private", path);
  return {};
}

Result<> NbdServer::leave(const std::string& path, Id user) {
  const MutexLock lock(mutex_);
  if (path == path_) {
    users_.erase(user);
    if (!users_.empty()) return {};
  }
  HF_CHECK(stop(path));
  if (path == path_) path_.clear();
  const SocketDirectory directory = directory_of(path);
  const auto scratch = open_directory(directory.scratch);
  if (!scratch && scratch.error().code == ENOENT) return {};
  if (!scratch) return tl::make_unexpected(scratch.error());
  return remove_tree(**scratch, directory.name);
}

// QEMU 7.2 hangs for good, and its guest with it, if it stops a server before it has noticed that a client
// has left in the middle of the negotiation. It has noticed all of them when the question is answered, and
// none of ours begins before the end.
Result<> NbdServer::stop(const std::string& path) {
  const ExclusiveLock nobody_negotiates(*negotiation_);
  HF_TRY(const bool runs, nbd::answers(path, {}));
  if (!runs) return {};
  const auto stopped = monitor_.execute("nbd-server-stop");
  if (!stopped && stopped.error().message.find("not running") == std::string::npos)
    return tl::make_unexpected(stopped.error());
  return {};
}

}  // namespace holdfast::source::qmp
