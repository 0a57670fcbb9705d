// The live mount: the FUSE session and the threads that serve it.
//
// Threads: the tree's workers, owned here. One thread makes a Session, serves, and stops it.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catalog/base/fd.h"
#include "fsd/mount/face.h"

namespace holdfast::mount {

class Session {
 public:
  // Mounts at a path from prepare_mount_point. The mount answers once this returns.
  static Result<std::unique_ptr<Session>> start(const std::string& path, tree::Tree& tree, Waiters& waiters,
                                                std::uint64_t generation);
  ~Session();  // stop()

  // Becomes readable once the kernel has ended the session: somebody has unmounted it.
  int ended_fd() const { return ended_.get(); }

  // Unmounts; requests under way are answered, then the threads end.
  void stop();

 private:
  Session(std::string path, tree::Tree& tree, Waiters& waiters, std::uint64_t generation);

  Result<> begin();
  void serve();

  struct Destroy {
    void operator()(fuse_session* session) const { fuse_session_destroy(session); }
  };

  const std::string path_;
  Fd ended_;
  std::unique_ptr<fuse_session, Destroy> session_;
  Face face_;  // destroyed before the session, because its readers may still be replying
  std::atomic<unsigned> serving_{0};
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::mount
