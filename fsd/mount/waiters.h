// Reads that are answered when something has happened. They are parked requests, not threads: five hundred
// cost the memory of five hundred requests.
//
// Threads: the waiters' poller, owned here, answers all of them. The engine's threads only call changed(),
// the tree's threads only interrupt(). Any thread may call.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "catalog/base/mutex.h"
#include "engine/common/observer.h"
#include "fsd/mount/fuse.h"
#include "fsd/tree/files/open_file.h"

namespace holdfast::mount {

class Waiters final : public Observer {
 public:
  Waiters();
  ~Waiters() override;  // close()

  // Takes the request over. It is answered once the file's read stops failing with EAGAIN; with EINTR when
  // the reader is interrupted; with ESHUTDOWN after close().
  //
  // Two steps, because libfuse must know how to interrupt the request before it is answered: park, tell
  // libfuse, arm.
  using Ticket = std::uint64_t;  // a number, not an address, because interrupt() may come after the answer
  Ticket park(fuse_req_t request, std::shared_ptr<tree::OpenFile> file, std::size_t size,
              std::uint64_t offset, tree::Holdings::Share share);
  void arm(Ticket ticket);
  void interrupt(Ticket ticket);

  void changed(ObjectKind kind, Id id) override;
  // Answers all parked requests, and each later one at once.
  void close();

  std::size_t parked() const;

 private:
  struct Parked {
    fuse_req_t request = nullptr;
    std::shared_ptr<tree::OpenFile> file;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    tree::Holdings::Share share;
    bool armed = false;
    bool interrupted = false;
  };
  struct SubjectHash {
    std::size_t operator()(const tree::ObjectId& subject) const {
      return std::hash<Id>{}(subject.id) * 8 + static_cast<std::size_t>(subject.kind);
    }
  };

  void poll();
  void examine(const tree::ObjectId& subject);
  std::vector<Ticket> tickets_of(const tree::ObjectId& subject) const;
  // Removes and returns the request; nullopt if it was answered or is not yet armed.
  std::optional<Parked> take(Ticket ticket) HF_REQUIRES(mutex_);
  // Removes and returns all armed requests.
  std::vector<fuse_req_t> take_all() HF_REQUIRES(mutex_);

  mutable Mutex mutex_;  // never held in a call of libfuse or of a file
  CondVar rung_;
  Ticket last_ HF_GUARDED_BY(mutex_) = 0;
  std::unordered_map<Ticket, Parked> parked_ HF_GUARDED_BY(mutex_);
  std::unordered_map<tree::ObjectId, std::set<Ticket>, SubjectHash> by_subject_ HF_GUARDED_BY(mutex_);
  std::unordered_set<tree::ObjectId, SubjectHash> changed_ HF_GUARDED_BY(mutex_);
  std::deque<Ticket> interrupted_ HF_GUARDED_BY(mutex_);
  bool closing_ HF_GUARDED_BY(mutex_) = false;
  std::thread poller_;
};

}  // namespace holdfast::mount
