#include "fsd/tree/holdings.h"

namespace holdfast::tree {

Holdings::Share::~Share() {
  if (holdings_ != nullptr) holdings_->give_back(uid_, handles_, bytes_);
}

void Holdings::Share::swap(Share& other) noexcept {
  std::swap(holdings_, other.holdings_);
  std::swap(uid_, other.uid_);
  std::swap(handles_, other.handles_);
  std::swap(bytes_, other.bytes_);
}

Result<> Holdings::Share::resize(std::size_t bytes) {
  if (holdings_ == nullptr) return {};
  if (bytes > bytes_)
    HF_CHECK(holdings_->take(uid_, 0, bytes - bytes_));
  else
    holdings_->give_back(uid_, 0, bytes_ - bytes);
  bytes_ = bytes;
  return {};
}

Result<Holdings::Share> Holdings::handle(std::uint32_t uid, std::size_t bytes) {
  return share(uid, 1, kOfHandle + bytes);
}

Result<Holdings::Share> Holdings::bytes(std::uint32_t uid, std::size_t bytes) { return share(uid, 0, bytes); }

Result<Holdings::Share> Holdings::share(std::uint32_t uid, std::size_t handles, std::size_t bytes) {
  Share made;
  if (uid == 0) return made;
  HF_CHECK(take(uid, handles, bytes));
  made.holdings_ = this;
  made.uid_ = uid;
  made.handles_ = handles;
  made.bytes_ = bytes;
  return made;
}

Result<> Holdings::take(std::uint32_t uid, std::size_t handles, std::size_t bytes) {
  const MutexLock lock(mutex_);
  const auto found = held_.find(uid);
  const Held now = found == held_.end() ? Held{} : found->second;
  if (handles > 0 && now.handles + handles > kMostHandles)
    return fail(EDQUOT, "you have {} files, directories and waiting reads open, and may have {}; close some",
                now.handles, kMostHandles);
  if (now.bytes + bytes > kMostBytes)
    return fail(
        EDQUOT,
        "what you have open and have written but not committed takes {} KiB of the daemon's memory, and may "
        "take {} KiB; close some files, or delete scratch files",
        now.bytes / kKiB, kMostBytes / kKiB);
  if (handles + bytes > 0) held_[uid] = {now.handles + handles, now.bytes + bytes};
  return {};
}

void Holdings::give_back(std::uint32_t uid, std::size_t handles, std::size_t bytes) {
  if (handles + bytes == 0) return;
  const MutexLock lock(mutex_);
  const auto found = held_.find(uid);
  found->second.handles -= handles;
  found->second.bytes -= bytes;
  if (found->second.handles == 0 && found->second.bytes == 0) held_.erase(found);
}

}  // namespace holdfast::tree
