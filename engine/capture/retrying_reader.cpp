#include "engine/capture/retrying_reader.h"

#include <algorithm>
#include <map>

#include "catalog/base/log.h"
#include "engine/capture/patience.h"

namespace holdfast::capture {
namespace {

bool is_lost_connection(int code) {
  switch (code) {
    case ECONNRESET:
    case ECONNREFUSED:
    case ECONNABORTED:
    case ENOTCONN:
    case ESHUTDOWN:
    case EPIPE: return true;
    default: return false;
  }
}

// Counts failures in a row, and decides whether another try is worth while.
class Attempts {
 public:
  explicit Attempts(const Retries& retries) : retries_(retries), pause_(retries.first_pause) {}

  void succeeded() {
    failed_ = 0;
    pause_ = retries_.first_pause;
  }
  // Pauses and returns success if the caller is to try again; else the error, or ECANCELED.
  Result<> again(const Error& error, const source::Cancel* cancel) {
    if (!is_lost_connection(error.code) || ++failed_ > retries_.most) return tl::make_unexpected(error);
    log::warning("{}; trying again ({} of {})", error.message, failed_, retries_.most);
    HF_CHECK(wait_until(std::chrono::steady_clock::now() + pause_, cancel));
    pause_ *= 2;
    return {};
  }

 private:
  const Retries retries_;
  std::chrono::milliseconds pause_;
  int failed_ = 0;
};

using Delivered = std::map<std::uint64_t, std::uint64_t>;  // lengths of delivered pieces, by offset

// Returns the ranges without the delivered pieces. Each piece lies within one range.
std::vector<source::Range> without(std::span<const source::Range> ranges, const Delivered& delivered) {
  std::vector<source::Range> left;
  for (const source::Range& range : ranges)
    for (std::uint64_t at = range.offset, end = at + range.length; at < end;) {
      const auto piece = delivered.lower_bound(at);
      const std::uint64_t next = piece == delivered.end() ? end : std::min(end, piece->first);
      if (next > at) left.push_back({at, next - at});
      at = next == end ? end : next + piece->second;
    }
  return left;
}

}  // namespace

Result<std::vector<source::Extent>> RetryingReader::extents(std::uint64_t offset, std::uint64_t length) {
  for (Attempts attempts(retries_);;) {
    auto found = below_->extents(offset, length);
    if (found) return found;
    HF_CHECK(attempts.again(found.error(), cancel_));
  }
}

Result<> RetryingReader::read(std::span<const source::Range> ranges, const Sink& sink,
                              const source::Cancel& cancel) {
  Attempts attempts(retries_);
  Delivered delivered;
  Result<> sunk;  // kept apart, because an error of the sink is not retried
  const auto watched = [&](std::uint64_t offset, ByteView data) -> Result<> {
    sunk = sink(offset, data);
    if (!sunk) return sunk;
    delivered[offset] = data.size();
    attempts.succeeded();
    return {};
  };
  std::vector<source::Range> left(ranges.begin(), ranges.end());
  for (;;) {
    const auto done = below_->read(left, watched, cancel);
    if (done || !sunk) return done;
    HF_CHECK(attempts.again(done.error(), &cancel));
    left = without(ranges, delivered);
  }
}

}  // namespace holdfast::capture
