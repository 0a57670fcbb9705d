#include "fsd/mount/waiters.h"

#include <pthread.h>

#include <algorithm>
#include <array>

namespace holdfast::mount {
namespace {

// A buffer for one answer, which is one word.
using Answer = std::array<std::byte, 4096>;

Result<std::size_t> ask(tree::OpenFile& file, std::size_t size, std::uint64_t offset, Answer& answer) {
  return file.read(offset, ByteSpan{answer}.first(std::min(size, answer.size())));
}

void reply(fuse_req_t request, const Result<std::size_t>& length, const Answer& answer) {
  if (length)
    fuse_reply_buf(request, reinterpret_cast<const char*>(answer.data()), *length);
  else
    fuse_reply_err(request, length.error().code);
}

bool not_yet(const Result<std::size_t>& length) { return !length && length.error().code == EAGAIN; }

}  // namespace

Waiters::Waiters() : poller_([this] { poll(); }) {}

Waiters::~Waiters() { close(); }

Waiters::Ticket Waiters::park(fuse_req_t request, std::shared_ptr<tree::OpenFile> file, std::size_t size,
                              std::uint64_t offset, tree::Holdings::Share share) {
  const MutexLock lock(mutex_);
  const Ticket ticket = ++last_;
  by_subject_[file->subject()].insert(ticket);
  parked_[ticket] = {request, std::move(file), size, offset, std::move(share)};
  return ticket;
}

void Waiters::arm(Ticket ticket) {
  std::optional<Parked> too_late;
  {
    const MutexLock lock(mutex_);
    Parked& parked = parked_.at(ticket);
    parked.armed = true;
    if (parked.interrupted) interrupted_.push_back(ticket);
    changed_.insert(parked.file->subject());  // the subject may have changed before park()
    if (closing_) too_late = take(ticket);
  }
  rung_.notify_one();
  if (too_late) fuse_reply_err(too_late->request, ESHUTDOWN);
}

void Waiters::changed(ObjectKind kind, Id id) {
  const tree::ObjectId subject{kind, id};
  {
    const MutexLock lock(mutex_);
    if (!by_subject_.contains(subject)) return;
    changed_.insert(subject);
  }
  rung_.notify_one();
}

void Waiters::interrupt(Ticket ticket) {
  {
    const MutexLock lock(mutex_);
    const auto found = parked_.find(ticket);
    if (found == parked_.end()) return;
    found->second.interrupted = true;
    if (!found->second.armed) return;
    interrupted_.push_back(ticket);
  }
  rung_.notify_one();
}

void Waiters::close() {
  {
    const MutexLock lock(mutex_);
    closing_ = true;
  }
  rung_.notify_one();
  if (poller_.joinable()) poller_.join();
}

std::size_t Waiters::parked() const {
  const MutexLock lock(mutex_);
  return parked_.size();
}

void Waiters::poll() {
  pthread_setname_np(pthread_self(), "wait-poller");
  const MutexLock lock(mutex_);
  while (!closing_) {
    if (!interrupted_.empty()) {
      const auto parked = take(interrupted_.front());
      interrupted_.pop_front();
      const MutexUnlock unlocked(mutex_);
      if (parked) fuse_reply_err(parked->request, EINTR);
    } else if (!changed_.empty()) {
      const tree::ObjectId subject = *changed_.begin();
      changed_.erase(changed_.begin());
      const MutexUnlock unlocked(mutex_);
      examine(subject);
    } else {
      rung_.wait(mutex_);
    }
  }
  const auto requests = take_all();
  const MutexUnlock unlocked(mutex_);
  for (const fuse_req_t request : requests) fuse_reply_err(request, ESHUTDOWN);
}

void Waiters::examine(const tree::ObjectId& subject) {
  Answer answer;
  for (const Ticket ticket : tickets_of(subject)) {
    std::shared_ptr<tree::OpenFile> file;
    std::size_t size = 0;
    std::uint64_t offset = 0;
    {
      const MutexLock lock(mutex_);
      const auto found = parked_.find(ticket);
      if (found == parked_.end() || !found->second.armed) continue;
      file = found->second.file;
      size = found->second.size;
      offset = found->second.offset;
    }
    const auto length = ask(*file, size, offset, answer);
    if (not_yet(length)) return;
    std::optional<Parked> parked;
    {
      const MutexLock lock(mutex_);
      parked = take(ticket);
    }
    if (parked) reply(parked->request, length, answer);
  }
}

std::vector<Waiters::Ticket> Waiters::tickets_of(const tree::ObjectId& subject) const {
  const MutexLock lock(mutex_);
  const auto found = by_subject_.find(subject);
  if (found == by_subject_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

std::optional<Waiters::Parked> Waiters::take(Ticket ticket) {
  const auto found = parked_.find(ticket);
  if (found == parked_.end() || !found->second.armed) return std::nullopt;
  Parked parked = std::move(found->second);
  parked_.erase(found);
  const auto tickets = by_subject_.find(parked.file->subject());
  tickets->second.erase(ticket);
  if (tickets->second.empty()) by_subject_.erase(tickets);
  return parked;
}

std::vector<fuse_req_t> Waiters::take_all() {
  std::vector<fuse_req_t> requests;
  for (auto at = parked_.begin(); at != parked_.end();) {
    const Ticket ticket = (at++)->first;
    if (const auto parked = take(ticket)) requests.push_back(parked->request);
  }
  return requests;
}

}  // namespace holdfast::mount
