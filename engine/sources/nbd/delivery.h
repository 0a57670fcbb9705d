// Gives a sink what a reader has received, in a thread of its own.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "catalog/base/mutex.h"
#include "engine/sources/driver.h"

namespace holdfast::source::nbd {

// A sink may wait for its repository for long. The reader goes on meanwhile and takes each answer of the
// source: QEMU holds its guest, and whoever removes an export, until its answers are taken (laws 8 and 20).
// One thread calls the class. `sink` and `cancel` outlive it.
class Delivery {
 public:
  struct Piece {
    std::size_t number = 0;  // the caller's
    std::uint64_t offset = 0;
    ByteView data;  // unchanged until the piece is taken back
  };

  static Result<std::unique_ptr<Delivery>> begin(const DiskReader::Sink& sink, const Cancel& cancel);
  ~Delivery();  // waits for the sink's current call, and drops the pieces behind it

  void give(const Piece& piece);
  // Returns the numbers of the pieces that the sink has had since the last call, or the sink's error.
  // ECANCELED after a cancel.
  Result<std::vector<std::size_t>> take_back();
  // Waits until take_back() returns more than nothing.
  void wait();

 private:
  Delivery(const DiskReader::Sink& sink, const Cancel& cancel) : sink_(sink), cancel_(cancel) {}
  void run();

  const DiskReader::Sink& sink_;
  const Cancel& cancel_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<Piece> waiting_ HF_GUARDED_BY(mutex_);
  std::vector<std::size_t> delivered_ HF_GUARDED_BY(mutex_);
  std::optional<Error> error_ HF_GUARDED_BY(mutex_);
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace holdfast::source::nbd
