// Reads that are answered when something has happened. They are parked here, not in threads: five hundred
// of them cost memory for five hundred requests.
//
// Threads: the waiters' poller, owned here, answers them all; the engine's threads only ring (changed), and
// so do the threads that serve the tree when the kernel interrupts a reader. Any thread may call anything.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/common/observer.h"
#include "fsd/mount/fuse.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::mount {

class Waiters final : public Observer {
 public:
  Waiters();
  ~Waiters() override;  // close()

  // Takes the request over: it is answered when the file's read no longer says EAGAIN, with EINTR when the
  // reader is interrupted, with ESHUTDOWN at the end. In two steps, since libfuse must learn how to interrupt
  // the request before anybody may answer it: park, tell libfuse, arm.
  using Ticket = std::uint64_t;  // a number, not an address: interrupt() may come after the answer
  Ticket park(fuse_req_t request, std::shared_ptr<tree::OpenFile> file, std::size_t size,
              std::uint64_t offset);
  void arm(Ticket ticket);
  void interrupt(Ticket ticket);

  void changed(ObjectKind kind, Id id) override;
  // Answers all, and from now on every new one at once.
  void close();

  std::size_t parked() const;

 private:
  struct Parked {
    fuse_req_t request = nullptr;
    std::shared_ptr<tree::OpenFile> file;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    bool armed = false;
    bool interrupted = false;
  };
  struct SubjectHash {
    std::size_t operator()(const tree::Subject& subject) const {
      return std::hash<Id>{}(subject.id) * 8 + static_cast<std::size_t>(subject.kind);
    }
  };

  void poll();
  void examine(const tree::Subject& subject);
  std::vector<Ticket> tickets_of(const tree::Subject& subject) const;
  // Out of the tables, for who answers it; nothing when another was quicker or it is not yet armed. Both want
  // the lock.
  std::optional<Parked> take(Ticket ticket);
  void end_all(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;  // guards what follows; never held in a call of libfuse or of a file
  std::condition_variable rung_;
  Ticket last_ = 0;
  std::unordered_map<Ticket, Parked> parked_;
  std::unordered_map<tree::Subject, std::set<Ticket>, SubjectHash> by_subject_;
  std::unordered_set<tree::Subject, SubjectHash> changed_;
  std::deque<Ticket> interrupted_;
  bool closing_ = false;
  std::thread poller_;
};

}  // namespace holdfast::mount
