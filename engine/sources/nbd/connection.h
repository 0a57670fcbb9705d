// One connection to an export of an NBD server. All waits are bounded.
#pragma once

#include <libnbd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/mutex.h"
#include "engine/sources/driver.h"

namespace holdfast::source::nbd {

constexpr std::chrono::milliseconds kLookAtCancel{100};  // the longest wait that overlooks a cancel

struct Limits {
  std::chrono::milliseconds connect{10'000};
  std::chrono::milliseconds silence{60'000};  // without any answer to a pending request
  const Cancel* cancel = nullptr;             // ends every wait, and outlives whoever waits

  Limits ended_by(const Cancel* by) const { return {.connect = connect, .silence = silence, .cancel = by}; }
};

// An export of a server at a unix socket, or the export that `uri` names.
struct Export {
  std::string socket;
  std::string name;
  std::string bitmap;                 // the dirty bitmap that tells changes; "": none is asked for
  std::optional<std::uint64_t> size;  // the size that the export must have
  std::string uri;
  // Instead of a socket or a URI: a server that is started for this client, and ends with it.
  std::vector<std::string> command{};
  bool needs_bitmap = true;  // a missing bitmap is an error, which NBD itself would ignore
  // True for a server that errs on ranges of mixed kind (see qmp/copy_filter.h). It is not asked for zeros,
  // and no read crosses a multiple of 64 KiB.
  bool erring = false;
  // The lock of a server that can't be stopped while a client negotiates: each client shares it until it is
  // connected, and whoever stops the server holds it alone.
  std::shared_ptr<SharedMutex> negotiation{};

  std::string label() const;  // the export's name in sentences
};

// Returns the paths of this host that a URI's parameters name: a socket, certificates, keys.
std::vector<std::string> paths_in(const std::string& uri);

// Whether an NBD server listens there; ETIMEDOUT if it hangs. Returns once the server has let go of this
// client, and of all that have left before.
Result<bool> answers(const std::string& socket, const Limits& limits);

// Adds time-outs to libnbd and turns its per-thread errors into Errors. One thread at a time.
class Connection {
 public:
  // Asks for base:allocation if the server has it. A URI may name certificates and keys of this host
  // (tls-certificates, tls-psk-file), so only a trusted user may set it. Over TCP the server's certificate is
  // verified; over a unix socket libnbd relies on the socket's permissions.
  static Result<std::unique_ptr<Connection>> open(const Export& what, const Limits& limits);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool is_alive() const { return nbd_aio_is_dead(handle_) == 0 && nbd_aio_is_closed(handle_) == 0; }
  nbd_handle* handle() const { return handle_; }
  bool has_allocation() const { return has_allocation_; }
  std::uint64_t size() const { return size_; }
  // The name of the bitmap's meta context; "" if none was asked for, or none was granted.
  const std::string& bitmap_context() const { return bitmap_context_; }
  // Ignores the bitmap from now on.
  void ignore_bitmap() { bitmap_context_.clear(); }
  bool can_report_read_errors() const { return can_report_read_errors_; }
  // Whether other connections to the same export see the same content.
  bool serves_several() const { return !is_own_server_ && nbd_can_multi_conn(handle_) == 1; }

  // Returns libnbd's error of the last call, with `doing` before it.
  tl::unexpected<Error> failure(const std::string& doing) const;
  // Returns the error of a request that ended with `code`.
  tl::unexpected<Error> failure(int code, const std::string& doing) const;

 private:
  Connection(nbd_handle* handle, const Export& what, const Limits& limits)
      : handle_(handle), label_(what.label()), limits_(limits), is_own_server_(!what.command.empty()) {}
  Result<> prepare(const Export& what);
  Result<> connect(const Export& what);
  Result<> learn(const Export& what);
  tl::unexpected<Error> not_connected(const Export& what) const;

  nbd_handle* const handle_;
  const std::string label_;
  const Limits limits_;
  const bool is_own_server_;
  std::uint64_t size_ = 0;
  bool has_allocation_ = false;
  bool can_report_read_errors_ = false;
  std::string bitmap_context_;
};

}  // namespace holdfast::source::nbd
