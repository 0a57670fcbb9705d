// One connection to an export of an NBD server, that never waits for ever.
#pragma once

#include <libnbd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "engine/sources/driver.h"

namespace holdfast::source::nbd {

struct Limits {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds silence{60'000};  // without a sign of life while something is asked for
};

// Of a server at a unix socket; or, where there is a URI, what that says.
struct Export {
  std::string socket;
  std::string name;
  std::string bitmap;                 // tells what has changed; "": nothing is asked
  std::optional<std::uint64_t> size;  // that it must have
  std::string uri;
  bool needs_bitmap = true;  // an error when it is not granted, which NBD itself would pass over in silence
  // Of a server that errs where a range is partly one thing and partly another: what reads as zeros is not
  // asked for, and no read crosses a multiple of 64 KiB.
  bool erring = false;

  std::string label() const;  // for sentences
};

// Whether an NBD server listens there. One that hangs does.
Result<bool> answers(const std::string& socket, const Limits& limits);

// libnbd has no time-outs and reports errors per thread; here both become Errors. One thread at a time.
class Connection {
 public:
  // With base:allocation where the server has it. A URI may name certificates and keys of this host
  // (tls-certificates, tls-psk-file): whoever sets it has to be trusted with them. Over TCP the server's
  // certificate is verified; over a unix socket libnbd leaves that to the socket's permissions.
  static Result<std::unique_ptr<Connection>> open(const Export& what, const Limits& limits);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_alive() const { return nbd_aio_is_dead(handle_) == 0 && nbd_aio_is_closed(handle_) == 0; }
  nbd_handle* handle() const { return handle_; }
  bool has_allocation() const { return has_allocation_; }
  std::uint64_t size() const { return size_; }
  // The name of the bitmap's meta context, "" when none was asked for, or granted.
  const std::string& bitmap_context() const { return bitmap_context_; }
  // What it says is passed over from now on.
  void ignore_bitmap() { bitmap_context_.clear(); }
  bool can_report_read_errors() const { return can_report_read_errors_; }
  // Whether other connections to the same export see what this one sees.
  bool serves_several() const { return nbd_can_multi_conn(handle_) == 1; }

  // What libnbd says of the call that just failed, after words of ours.
  tl::unexpected<Error> failure(const std::string& doing) const;
  // The same for a request that ended with `code`.
  tl::unexpected<Error> failure(int code, const std::string& doing) const;

 private:
  Connection(nbd_handle* handle, const Export& what, const Limits& limits)
      : handle_(handle), label_(what.label()), limits_(limits) {}
  Result<> prepare(const Export& what);
  Result<> connect(const Export& what);
  Result<> learn(const Export& what);
  tl::unexpected<Error> not_connected(const Export& what) const;

  nbd_handle* const handle_;
  const std::string label_;
  const Limits limits_;
  std::uint64_t size_ = 0;
  bool has_allocation_ = false;
  bool can_report_read_errors_ = false;
  std::string bitmap_context_;
};

}  // namespace holdfast::source::nbd
