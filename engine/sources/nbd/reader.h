// Reads a disk from an NBD export.
#pragma once

#include <memory>
#include <vector>

#include "engine/sources/nbd/connections.h"

namespace holdfast::source::nbd {

class Delivery;

// A DiskReader with requests of 256 KiB, 16 of them in flight, where libnbd and QEMU are fastest. The first
// call connects; large reads open more connections. The call after a failed one connects anew, because
// requests may still be in flight.
class Reader final : public DiskReader {
 public:
  // `connection`: an open connection to that export, or null. The export's size is known.
  Reader(Export what, const Limits& limits, std::unique_ptr<Connection> connection = nullptr)
      : what_(std::move(what)), limits_(limits), ready_(std::move(connection)) {}
  ~Reader() override;

  Result<std::vector<Extent>> extents(std::uint64_t offset, std::uint64_t length) override;
  Result<> read(std::span<const Range> ranges, const Sink& sink, const Cancel& cancel) override;

 private:
  struct Request {
    Reader* reader = nullptr;
    Connection* over = nullptr;
    Range piece;
    Bytes buffer;
    int error = 0;
  };
  class Pieces;

  Result<> connect();
  void disconnect();
  void drain();
  std::uint64_t size() const { return what_.size.value_or(0); }
  Result<std::vector<Extent>> some_extents(std::uint64_t offset, std::uint64_t length);
  tl::unexpected<Error> too_many(std::uint64_t offset, std::uint64_t length, std::uint64_t most) const;
  Result<> read_all(Pieces pieces, Delivery& delivery, const Cancel& cancel);
  Result<> start(Request& request, const Range& piece);
  Result<> finish(const Request& request, Delivery& delivery);

  const Export what_;
  const Limits limits_;
  std::vector<Request> requests_;  // never reallocated; buffers are reused between calls
  std::size_t in_flight_ = 0;
  std::vector<Request*> done_;         // in the order of completion
  std::unique_ptr<Connection> ready_;  // until connections_ takes it over
  std::unique_ptr<Connections> connections_;
};

}  // namespace holdfast::source::nbd
