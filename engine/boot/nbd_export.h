// Serves one disk to one QEMU over NBD, through a pair of sockets that have no name.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "catalog/base/fd.h"
#include "catalog/base/mutex.h"
#include "engine/boot/guest_disk.h"
#include "engine/common/progress.h"

namespace holdfast::boot {

// Speaks the part of the protocol that QEMU needs: the fixed newstyle handshake, NBD_OPT_GO, and simple
// replies to reads, writes and flushes. A client that says anything else is hung up on. Owns one thread.
class NbdExport {
 public:
  // The meter counts the bytes read. Disk and meter must outlive the export.
  static Result<std::unique_ptr<NbdExport>> start(GuestDisk& disk, ProgressMeter& meter);
  // Hangs up. Returns once a read that is under way has ended.
  ~NbdExport();
  NbdExport(const NbdExport&) = delete;
  NbdExport& operator=(const NbdExport&) = delete;

  // QEMU's end, which is connected.
  const Fd& client() const { return client_; }
  void give_client_away() { client_ = Fd(); }
  // Returns the first request that could not be fulfilled.
  std::optional<Error> failure();
  // Returns how long the request under way has had no answer; zero without one.
  std::chrono::steady_clock::duration busy_for() const;

 private:
  NbdExport(GuestDisk& disk, ProgressMeter& meter, Fd server, Fd client)
      : disk_(disk), meter_(meter), server_(std::move(server)), client_(std::move(client)) {}

  struct Request;

  void serve();
  bool shake_hands();
  bool answer_option(std::uint32_t option, std::uint32_t type, ByteView content);
  bool answer(const Request& request);
  std::uint32_t fulfil(const Request& request, Bytes& data);
  bool receive(ByteSpan into) const;
  bool send(ByteView bytes) const;

  GuestDisk& disk_;
  ProgressMeter& meter_;
  const Fd server_;
  Fd client_;
  std::atomic<std::chrono::steady_clock::time_point> asked_at_{};  // time of the request under way
  Mutex mutex_;
  std::optional<Error> failure_ HF_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace holdfast::boot
