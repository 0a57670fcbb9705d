#include "engine/image/packer.h"

#include <algorithm>
#include <utility>

namespace holdfast::image {
namespace {

// Runs grow, so that a small image isn't made longer by one that it hardly uses.
constexpr std::uint64_t kFirstRun = 64 * kKiB;
constexpr std::uint64_t kLongestRun = kMiB;

}  // namespace

Packer::Packer(HostFile& host, Geometry geometry)
    : host_(host), geometry_(geometry), run_bytes_(std::max(kFirstRun, geometry.cluster())) {}

void Packer::open_run() {
  run_.emplace();
  run_->offset = host_.take(run_bytes_ >> geometry_.bits);
  if (!spare_.empty()) {
    run_->bytes = std::move(spare_.back());
    spare_.pop_back();
  }
  run_->bytes.resize(run_bytes_);
  used_ = 0;
  run_bytes_ = std::max(run_bytes_, std::min(2 * run_bytes_, kLongestRun));
}

std::uint64_t Packer::add(ByteView slot, std::vector<Run>& full) {
  if (!run_) open_run();
  const std::uint64_t left = run_->bytes.size() - used_;
  const std::uint64_t offset = run_->offset + used_;
  std::uint64_t head = slot.size();
  if (left < slot.size()) head = is_last() ? left : 0;
  copy_in(slot.first(head));
  if (head == slot.size()) return offset;

  fill_up();
  full.push_back(std::move(*run_));
  open_run();
  copy_in(slot.subspan(head));
  return head == 0 ? run_->offset : offset;
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

void Packer::copy_in(ByteView bytes) {
  std::ranges::copy(bytes, run_->bytes.begin() + static_cast<std::ptrdiff_t>(used_));
  used_ += bytes.size();
}

void Packer::fill_up() {
  std::fill(run_->bytes.begin() + static_cast<std::ptrdiff_t>(used_), run_->bytes.end(), std::byte{0});
}

}  // namespace holdfast::image
