#include "engine/sources/nbd/reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/common/deadline.h"
#include "engine/sources/inside.h"
#include "engine/sources/nbd/delivery.h"
#include "engine/sources/nbd/extents.h"

namespace holdfast::source::nbd {
namespace {

constexpr std::uint64_t kPieceOfErring = 64 * kKiB;
constexpr std::size_t kInFlight = 16;
constexpr std::chrono::milliseconds kDrain{500};
constexpr std::uint64_t kWorthMore = 32 * kMiB;  // size from which more connections are worthwhile
constexpr std::uint64_t kStatusStep = 2 * kGiB;  // the length of a block status request has 32 bits

std::uint64_t bytes_of(std::span<const Range> ranges) {
  std::uint64_t bytes = 0;
  for (const Range& range : ranges) bytes += range.length;
  return bytes;
}

}  // namespace

// The ranges, cut into pieces as DiskReader promises.
class Reader::Pieces {
 public:
  Pieces(std::span<const Range> ranges, std::uint64_t most) : ranges_(ranges), most_(most) {}

  std::optional<Range> next() {
    while (!ranges_.empty() && used_ == ranges_.front().length) {
      ranges_ = ranges_.subspan(1);
      used_ = 0;
    }
    if (ranges_.empty()) return std::nullopt;
    const std::uint64_t offset = ranges_.front().offset + used_;
    const std::uint64_t length = std::min(ranges_.front().length - used_, most_ - offset % most_);
    used_ += length;
    return Range{offset, length};
  }

 private:
  std::span<const Range> ranges_;
  const std::uint64_t most_;
  std::uint64_t used_ = 0;  // bytes used of the first range
};

Reader::~Reader() { disconnect(); }

Result<> Reader::connect() {
  if (connections_) return {};
  HF_TRY(connections_, Connections::open(what_, limits_, std::move(ready_)));
  return {};
}

// Closes the connections, which ends the requests in flight and frees their buffers.
void Reader::disconnect() {
  connections_.reset();
  in_flight_ = 0;
  done_.clear();
}

// Waits for the requests in flight, but not for long: a server logs an error for each answer that it can't
// send.
void Reader::drain() {
  const Deadline deadline = Deadline::in(kDrain);
  while (in_flight_ > 0 && !deadline.passed())
    if (!connections_->wait(nullptr, kDrain)) break;
  if (in_flight_ > 0 || !connections_->are_alive()) disconnect();
  done_.clear();
}

Result<std::vector<Extent>> Reader::extents(std::uint64_t offset, std::uint64_t length) {
  HF_CHECK(check_inside({offset, length}, size(), what_.label()));
  HF_CHECK(connect());
  const std::uint64_t end = offset + length, most = most_extents(length);
  Grains grains(end);
  std::uint64_t count = 0;
  for (std::uint64_t at = offset; at < end;) {
    auto some = some_extents(at, std::min(end - at, kStatusStep));
    if (some && (count += some->size()) > most) some = too_many(at, end - at, most);
    if (!some) {
      disconnect();
      return tl::make_unexpected(some.error());
    }
    for (const Extent& extent : *some) grains.add(extent);
    at = some->back().offset + some->back().length;
  }
  return grains.take();
}

tl::unexpected<Error> Reader::too_many(std::uint64_t offset, std::uint64_t length, std::uint64_t most) const {
  return fail(EPROTO, "{}: the server divides {} bytes at {} into more than {} extents", what_.label(),
              length, offset, most);
}

Result<std::vector<Extent>> Reader::some_extents(std::uint64_t offset, std::uint64_t length) {
  Connection& connection = connections_->first();
  struct Answer {
    const std::string* bitmap_context;
    std::uint64_t most;
    std::optional<Status> allocation{}, changes{};
    bool are_too_many = false;
    bool done = false;
    int error = 0;
  } answer{.bitmap_context = &connection.bitmap_context(), .most = most_extents(length)};

  if (connection.has_allocation() || !what_.bitmap.empty()) {
    const auto on_status = [](void* user, const char* context, std::uint64_t, std::uint32_t* entries,
                              std::size_t count, int*) {
      auto& to = *static_cast<Answer*>(user);
      to.are_too_many |= count / 2 > to.most;
      if (to.are_too_many) return 0;
      if (std::string_view{context} == LIBNBD_CONTEXT_BASE_ALLOCATION)
        to.allocation.emplace(entries, entries + count);
      if (context == *to.bitmap_context) to.changes.emplace(entries, entries + count);
      return 0;
    };
    const auto on_done = [](void* user, int* error) {
      auto& to = *static_cast<Answer*>(user);
      to.done = true;
      to.error = *error;
      return 1;
    };
    const std::string doing = fmt::format("asking for {} bytes at {}", length, offset);
    if (nbd_aio_block_status(connection.handle(), length, offset,
                             {.callback = on_status, .user_data = &answer, .free = nullptr},
                             {.callback = on_done, .user_data = &answer, .free = nullptr}, 0) == -1)
      return connection.failure(doing);
    while (!answer.done) {
      if (auto waited = connections_->wait(limits_.cancel, limits_.silence); !waited) {
        disconnect();  // before `answer` goes, which its callbacks use
        return tl::make_unexpected(std::move(waited).error());
      }
    }
    if (answer.error != 0) return connection.failure(answer.error, doing);
    if (answer.are_too_many) return too_many(offset, length, answer.most);
    if (connection.has_allocation() != answer.allocation.has_value() ||
        what_.bitmap.empty() == answer.changes.has_value())
      return fail(EPROTO, "{}: {}: the server's answer lacks a context that it had granted", what_.label(),
                  doing);
  }
  return combine(offset, length, answer.allocation ? &*answer.allocation : nullptr,
                 answer.changes ? &*answer.changes : nullptr);
}

Result<> Reader::read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) {
  HF_CHECK(check_inside(ranges, size(), what_.label()));
  HF_CHECK(connect());
  if (bytes_of(ranges) >= kWorthMore) connections_->widen();
  if (requests_.empty()) {
    requests_.resize(kInFlight);
    for (Request& request : requests_) {
      request.reader = this;
      request.buffer.resize(kMostOfAPiece);
    }
  }
  HF_TRY(const auto delivery, Delivery::begin(sink, cancel));
  auto result = read_all(Pieces(ranges, what_.erring ? kPieceOfErring : kMostOfAPiece), *delivery, cancel);
  if (!result) drain();  // first, because the sink may hang
  return result;
}

Result<> Reader::read_all(Pieces pieces, Delivery& delivery, const Cancel& cancel) {
  std::vector<std::size_t> idle;
  for (std::size_t number = 0; number < requests_.size(); ++number) idle.push_back(number);
  for (;;) {
    if (cancel.requested()) return fail(ECANCELED, "cancelled");
    HF_TRY(const auto delivered, delivery.take_back());
    idle.insert(idle.end(), delivered.begin(), delivered.end());
    while (!idle.empty()) {
      const auto piece = pieces.next();
      if (!piece) break;
      HF_CHECK(start(requests_[idle.back()], *piece));
      idle.pop_back();
    }
    if (idle.size() == requests_.size()) return {};
    while (in_flight_ > 0 && done_.empty()) HF_CHECK(connections_->wait(&cancel, limits_.silence));
    if (done_.empty()) delivery.wait();
    for (const Request* request : std::exchange(done_, {})) HF_CHECK(finish(*request, delivery));
  }
}

Result<> Reader::start(Request& request, const Range& piece) {
  request.piece = piece;
  request.error = 0;
  const auto on_chunk = [](void*, const void*, std::size_t, std::uint64_t, unsigned, int*) { return 0; };
  const auto on_done = [](void* user, int* error) {
    auto& ended = *static_cast<Request*>(user);
    ended.error = *error;
    ended.reader->done_.push_back(&ended);
    --ended.reader->in_flight_;
    return 1;
  };
  // Asks for one chunk ("don't fragment"), because QEMU can't report a read error within several chunks and
  // drops the connection.
  request.over = &connections_->idlest();
  const bool whole = request.over->can_report_read_errors();
  ++in_flight_;
  const std::int64_t started = nbd_aio_pread_structured(
      request.over->handle(), request.buffer.data(), piece.length, piece.offset,
      {.callback = on_chunk, .user_data = nullptr, .free = nullptr},
      {.callback = on_done, .user_data = &request, .free = nullptr}, whole ? LIBNBD_CMD_FLAG_DF : 0);
  if (started != -1) return {};
  --in_flight_;
  return request.over->failure(fmt::format("reading {} bytes at {}", piece.length, piece.offset));
}

Result<> Reader::finish(const Request& request, Delivery& delivery) {
  const Range& piece = request.piece;
  if (request.error != 0)
    return request.over->failure(request.error,
                                 fmt::format("reading {} bytes at {}", piece.length, piece.offset));
  delivery.give({.number = static_cast<std::size_t>(&request - requests_.data()),
                 .offset = piece.offset,
                 .data = ByteView{request.buffer}.first(piece.length)});
  return {};
}

}  // namespace holdfast::source::nbd
