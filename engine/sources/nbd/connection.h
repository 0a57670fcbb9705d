// One connection to an export of an NBD server, that never waits for ever.
#pragma once

#include <libnbd.h>

#include <chrono>
#include <memory>
#include <string>

#include "engine/sources/driver.h"

namespace holdfast::source::nbd {

struct Limits {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds silence{60'000};  // without a sign of life while something is asked for
};

struct Export {
  std::string socket;  // a unix socket
  std::string name;
  std::string bitmap;      // tells what has changed; "": nothing is asked
  std::uint64_t size = 0;  // that it must have
  // Of a server that errs where a range is partly one thing and partly another: what reads as zeros is not
  // asked for, and no read crosses a multiple of 64 KiB.
  bool erring = false;
};

// Whether an NBD server listens there. One that hangs does.
Result<bool> answers(const std::string& socket, const Limits& limits);

// libnbd has no time-outs and reports errors per thread; here both become Errors. One thread at a time.
class Connection {
 public:
  // With base:allocation where the server has it. An error when it does not grant the bitmap, which NBD
  // itself would pass over in silence.
  static Result<std::unique_ptr<Connection>> open(const Export& what, const Limits& limits);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_alive() const { return nbd_aio_is_dead(handle_) == 0 && nbd_aio_is_closed(handle_) == 0; }
  nbd_handle* handle() const { return handle_; }
  bool has_allocation() const { return has_allocation_; }
  // The name of the bitmap's meta context, "" when none was asked for.
  const std::string& bitmap_context() const { return bitmap_context_; }
  bool can_report_read_errors() const { return can_report_read_errors_; }

  // Returns when something has moved; what was asked for may be done then. ETIMEDOUT after such a silence,
  // ECANCELED.
  Result<> wait(const Cancel* cancel, std::chrono::milliseconds silence);
  // What libnbd says of the call that just failed, after words of ours.
  tl::unexpected<Error> failure(const std::string& doing) const;
  // The same for a request that ended with `code`.
  tl::unexpected<Error> failure(int code, const std::string& doing) const;

 private:
  Connection(nbd_handle* handle, const Export& what, const Limits& limits)
      : handle_(handle), name_(what.name), socket_(what.socket), limits_(limits) {}
  Result<> negotiate(const Export& what);

  nbd_handle* const handle_;
  const std::string name_;
  const std::string socket_;
  const Limits limits_;
  bool has_allocation_ = false;
  bool can_report_read_errors_ = false;
  std::string bitmap_context_;
};

}  // namespace holdfast::source::nbd
