#include "engine/sources/nbd/connections.h"

#include <algorithm>

#include "catalog/base/log.h"
#include "engine/common/deadline.h"

namespace holdfast::source::nbd {
namespace {

constexpr std::chrono::milliseconds kForOneMore{1'000};
constexpr std::size_t kMost = 4;

}  // namespace

Result<std::unique_ptr<Connections>> Connections::open(const Export& what, const Limits& limits,
                                                       std::unique_ptr<Connection> first) {
  std::unique_ptr<Connections> connections(new Connections(what, limits));
  if (!first) {
    HF_TRY(first, Connection::open(what, limits));
  }
  connections->all_.push_back(std::move(first));
  return connections;
}

void Connections::widen() {
  if (widened_) return;
  widened_ = true;
  if (!first().serves_several()) return;
  Limits brief = limits_;
  brief.connect = std::min(limits_.connect, kForOneMore);
  while (all_.size() < kMost) {
    auto more = Connection::open(what_, brief);
    if (!more) {
      log::info("{} connections to {}, and no more: {}", all_.size(), what_.label(), more.error().message);
      return;
    }
    all_.push_back(std::move(*more));
  }
}

Connection& Connections::idlest() {
  return **std::ranges::min_element(all_, {},
                                    [](const auto& each) { return nbd_aio_in_flight(each->handle()); });
}

bool Connections::are_alive() const {
  return std::ranges::all_of(all_, [](const auto& each) { return each->is_alive(); });
}

Result<> Connections::wait(const Cancel* cancel, std::chrono::milliseconds silence) {
  const Deadline deadline = Deadline::in(silence);
  for (;;) {
    if (cancel != nullptr && cancel->requested()) return fail(ECANCELED, "cancelled");
    const auto wait = std::chrono::milliseconds{deadline.or_in(kLookAtCancel).milliseconds()};
    HF_TRY(const bool moved, moved_within(wait));
    if (moved) return {};
    if (deadline.passed())
      return fail(ETIMEDOUT, "{} has sent nothing for {} s: it hangs", what_.label(),
                  std::chrono::duration<double>(silence).count());
  }
}

Result<bool> Connections::moved_within(std::chrono::milliseconds time) {
  polled_.clear();
  for (const auto& each : all_) {
    if (!each->is_alive()) return fail(ECONNRESET, "{}: the connection has dropped", what_.label());
    const unsigned direction = nbd_aio_get_direction(each->handle());
    pollfd polled{.fd = nbd_aio_get_fd(each->handle()), .events = 0, .revents = 0};
    if ((direction & LIBNBD_AIO_DIRECTION_READ) != 0) polled.events |= POLLIN;
    if ((direction & LIBNBD_AIO_DIRECTION_WRITE) != 0) polled.events |= POLLOUT;
    polled_.push_back(polled);
  }
  const int moved = ::poll(polled_.data(), polled_.size(), static_cast<int>(time.count()));
  if (moved < 0 && errno != EINTR) return fail_errno("waiting for {}", what_.label());
  if (moved <= 0) return false;
  for (std::size_t i = 0; i < polled_.size(); ++i) {
    nbd_handle* const handle = all_[i]->handle();
    const auto came = polled_[i].revents;
    // A hang-up is seen by reading. Only one notification per poll, because the first may change the state
    // that the second needs.
    if ((came & (POLLIN | POLLHUP | POLLERR)) != 0) {
      if (nbd_aio_notify_read(handle) != 0) return all_[i]->failure("waiting");
    } else if ((came & POLLOUT) != 0) {
      if (nbd_aio_notify_write(handle) != 0) return all_[i]->failure("waiting");
    }
  }
  return true;
}

}  // namespace holdfast::source::nbd
