#include "engine/image/packer.h"

#include <algorithm>
#include <array>
#include <utility>

namespace holdfast::image {
namespace {

// Runs grow, so that a run that is hardly used makes a small image no longer.
constexpr std::uint64_t kFirstRun = 64 * kKiB;
constexpr std::uint64_t kLongestRun = kMiB;

}  // namespace

Packer::Packer(HostFile& host, Geometry geometry)
    : host_(host), geometry_(geometry), run_bytes_(std::max(kFirstRun, geometry.cluster())) {}

void Packer::open_run(std::uint64_t at_least) {
  const std::uint64_t length = std::max(run_bytes_, round_up(at_least, geometry_.cluster()));
  run_ = Run{host_.take(length >> geometry_.bits), {}};
  if (!spare_.empty()) {
    run_->bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  run_->bytes.resize(length);
  used_ = 0;
  run_bytes_ = std::max(run_bytes_, std::min(2 * run_bytes_, kLongestRun));
}

std::uint64_t Packer::add(ByteView slot, std::vector<Run>& full, std::optional<std::uint64_t> in_sector) {
  static constexpr std::array<std::byte, kSector> kZeros{};
  const auto gap = [&] { return in_sector ? (*in_sector + kSector - used_ % kSector) % kSector : 0; };
  if (run_ && !fits(gap() + slot.size()) && !is_last()) {
    fill_up();
    full.push_back(*std::exchange(run_, std::nullopt));
  }
  if (!run_) open_run(kSector + slot.size());
  put(ByteView{kZeros}.first(gap()), full);
  const std::uint64_t offset = run_->offset + used_;
  put(slot, full);
  return offset;
}

// Bytes that don't fit continue in a run right behind; the caller has ensured that the open run ends the
// file.
void Packer::put(ByteView bytes, std::vector<Run>& full) {
  const std::size_t head = std::min<std::uint64_t>(bytes.size(), run_->bytes.size() - used_);
  copy_bytes(bytes.first(head), ByteSpan{run_->bytes}.subspan(used_));
  used_ += head;
  if (head == bytes.size()) return;
  full.push_back(std::move(*run_));
  open_run(bytes.size() - head);
  put(bytes.subspan(head), full);
}

void Packer::trim() {
  if (!run_ || !is_last()) return;
  run_->bytes.resize(round_up(used_, geometry_.cluster()));
  host_.give_back(run_->offset + run_->bytes.size());
}

std::optional<Packer::Run> Packer::close() {
  if (!run_) return std::nullopt;
  trim();
  fill_up();
  return std::exchange(run_, std::nullopt);
}

bool Packer::is_last() const { return host_.end() == run_->offset + run_->bytes.size(); }

void Packer::fill_up() {
  std::fill(run_->bytes.begin() + static_cast<std::ptrdiff_t>(used_), run_->bytes.end(), std::byte{0});
}

}  // namespace holdfast::image
