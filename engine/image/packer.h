// Puts compressed clusters end to end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "catalog/base/bytes.h"
#include "engine/image/format.h"
#include "engine/image/host_file.h"

namespace holdfast::image {

// Slots are gathered in runs of host clusters, each written as a whole when it is full. A slot runs on into
// the next run when that lies right behind. Not for several threads at once; nobody else takes from
// the host file meanwhile.
class Packer {
 public:
  struct Run {
    std::uint64_t offset = 0;
    Bytes bytes;  // whole clusters
  };

  Packer(HostFile& host, Geometry geometry);

  // Says where the slot is, and appends the run that it filled, to be written by the caller. `in_sector` is
  // where in a sector it must begin; by default it begins where the last one ended.
  std::uint64_t add(ByteView slot, std::vector<Run>& full, std::optional<std::uint64_t> in_sector = {});
  // A run's memory, to be used again.
  void recycle(Bytes bytes) { spare_.push_back(std::move(bytes)); }
  // The open run's clusters that hold nothing yet go back when they are the last of the file.
  void trim();
  // The open run, trimmed, and filled up with zeros.
  std::optional<Run> close();
  // Below this nothing changes any more, as far as the packer is concerned.
  std::uint64_t settled_end() const { return run_ ? run_->offset : host_.end(); }
  // The open run is filled so slowly that what is known of the clusters behind it piles up: time to close it.
  bool lags() const { return run_ && host_.end() - run_->offset > kMostLag; }

 private:
  static constexpr std::uint64_t kMostLag = 64 * kMiB;

  void open_run(std::uint64_t at_least);
  bool fits(std::uint64_t length) const { return length <= run_->bytes.size() - used_; }
  bool is_last() const;  // the open run, in the file
  void put(ByteView bytes, std::vector<Run>& full);
  void fill_up();

  HostFile& host_;
  const Geometry geometry_;
  std::uint64_t run_bytes_;  // of the next run
  std::optional<Run> run_;
  std::uint64_t used_ = 0;  // of the open run
  std::vector<Bytes> spare_;
};

}  // namespace holdfast::image
