#include "engine/sources/nbd/delivery.h"

#include <system_error>
#include <utility>

namespace holdfast::source::nbd {

Result<std::unique_ptr<Delivery>> Delivery::begin(const DiskReader::Sink& sink, const Cancel& cancel) {
  std::unique_ptr<Delivery> delivery(new Delivery(sink, cancel));
  try {
    delivery->thread_ = std::thread([its = delivery.get()] { its->run(); });
  } catch (const std::system_error& problem) {
    return fail(EAGAIN, "no thread can be made to take what a source sends: {}", problem.what());
  }
  return delivery;
}

Delivery::~Delivery() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Delivery::give(const Piece& piece) {
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(piece);
  }
  changed_.notify_all();
}

Result<std::vector<std::size_t>> Delivery::take_back() {
  const MutexLock lock(mutex_);
  if (error_) return tl::make_unexpected(*error_);
  return std::exchange(delivered_, {});
}

void Delivery::wait() {
  const MutexLock lock(mutex_);
  while (!error_ && delivered_.empty()) changed_.wait(mutex_);
}

void Delivery::run() {
  const MutexLock lock(mutex_);
  while (!error_) {
    while (!stopping_ && waiting_.empty()) changed_.wait(mutex_);
    if (stopping_) return;
    const Piece piece = waiting_.front();
    waiting_.pop_front();
    Result<> taken;
    {
      const MutexUnlock unlocked(mutex_);
      taken = cancel_.requested() ? fail(ECANCELED, "cancelled") : sink_(piece.offset, piece.data);
    }
    if (taken)
      delivered_.push_back(piece.number);
    else
      error_ = std::move(taken).error();
    changed_.notify_all();
  }
}

}  // namespace holdfast::source::nbd
