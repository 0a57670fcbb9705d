// Puts compressed clusters end to end.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "catalog/base/bytes.h"
#include "engine/image/format.h"
#include "engine/image/host_file.h"

namespace holdfast::image {

// Collects slots in runs of host clusters, each of which is written as a whole when it is full. A slot
// continues in the next run if that lies right behind. One thread at a time; meanwhile no other caller takes
// clusters from the host file.
class Packer {
 public:
  struct Run {
    std::uint64_t offset = 0;
    Bytes bytes;  // whole clusters
  };

  Packer(HostFile& host, Geometry geometry);

  // Returns the slot's offset, and appends each run that it filled to `full`; the caller writes them.
  // `in_sector` is the slot's offset in its sector; by default the slot begins where the last one ended.
  std::uint64_t add(ByteView slot, std::vector<Run>& full, std::optional<std::uint64_t> in_sector = {});
  // Takes back the memory of a written run.
  void recycle(Bytes bytes) { spare_.push_back(std::move(bytes)); }
  // Gives the unused clusters of the open run back if they are the last of the file.
  void trim();
  // Returns the open run, trimmed and padded with zeros.
  std::optional<Run> close();
  // The packer changes nothing below this offset any more.
  std::uint64_t settled_end() const { return run_ ? run_->offset : host_.end(); }
  // True if the open run fills so slowly that unsettled clusters pile up behind it, so it should be closed.
  bool lags() const { return run_ && host_.end() - run_->offset > kMostLag; }

 private:
  static constexpr std::uint64_t kMostLag = 64 * kMiB;

  void open_run(std::uint64_t at_least);
  bool fits(std::uint64_t length) const { return length <= run_->bytes.size() - used_; }
  bool is_last() const;  // whether the open run ends the file
  void put(ByteView bytes, std::vector<Run>& full);
  void fill_up();

  HostFile& host_;
  const Geometry geometry_;
  std::uint64_t run_bytes_;  // the length of the next run
  std::optional<Run> run_;
  std::uint64_t used_ = 0;  // bytes of the open run
  std::vector<Bytes> spare_;
};

}  // namespace holdfast::image
