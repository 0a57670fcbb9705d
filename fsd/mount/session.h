// The mount while it lives: FUSE's session, and the threads that serve it.
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
  // `path` comes from prepare_mount_point. When it returns, the mount answers.
  static Result<std::unique_ptr<Session>> start(const std::string& path, tree::Tree& tree, Waiters& waiters,
                                                std::uint64_t generation);
  ~Session();  // stop()

  // Readable once the kernel has ended the session: somebody unmounted us.
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
  Face face_;  // goes before the session: its readers may still be answering
  std::atomic<unsigned> serving_{0};
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::mount
