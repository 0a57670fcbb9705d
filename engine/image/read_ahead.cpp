#include "engine/image/read_ahead.h"

#include <algorithm>
#include <deque>
#include <system_error>
#include <thread>
#include <vector>

#include "catalog/base/bytes.h"

namespace holdfast::image {
namespace {

constexpr std::uint64_t kWindow = 2 * kMiB;
constexpr std::uint64_t kOutOfOrder = kMiB;  // the kernel may reorder requests

class ImageReaders {
 public:
  ~ImageReaders() {
    {
      const MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
  }

  bool run(std::function<void()> task) {
    {
      const MutexLock lock(mutex_);
      if (waiting_.size() >= kMostWaiting || !start_threads()) return false;
      waiting_.push_back(std::move(task));
    }
    wake_.notify_one();
    return true;
  }

 private:
  static constexpr std::size_t kMostWaiting = 64;

  bool start_threads() HF_REQUIRES(mutex_) {
    if (!threads_.empty()) return true;
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
    try {
      while (threads_.size() < count) threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      return !threads_.empty();
    }
    return true;
  }

  void work() {
    const MutexLock lock(mutex_);
    for (;;) {
      while (!stopping_ && waiting_.empty()) wake_.wait(mutex_);
      if (stopping_) return;
      const std::function<void()> task = std::move(waiting_.front());
      waiting_.pop_front();
      const MutexUnlock unlocked(mutex_);
      task();
    }
  }

  Mutex mutex_;
  CondVar wake_;
  std::deque<std::function<void()>> waiting_ HF_GUARDED_BY(mutex_);
  bool stopping_ HF_GUARDED_BY(mutex_) = false;
  std::vector<std::jthread> threads_ HF_GUARDED_BY(mutex_);  // last, because they use all members above
};

}  // namespace

std::optional<SequentialReads::Stretch> SequentialReads::note(std::uint64_t offset, std::uint64_t length) {
  const MutexLock lock(mutex_);
  const std::uint64_t end = offset + length;
  const auto known = std::ranges::find_if(readers_, [&](const Reader& reader) {
    return std::max(offset, reader.next) - std::min(offset, reader.next) <= kOutOfOrder;
  });
  if (known == readers_.end()) {
    *std::ranges::min_element(readers_, {}, &Reader::last_seen) = {end, end, ++clock_};
    return std::nullopt;
  }
  known->last_seen = ++clock_;
  if (end <= known->next) return std::nullopt;
  known->next = end;
  if (known->unpacked >= end + kWindow / 2) return std::nullopt;
  const std::uint64_t from = std::max(known->unpacked, end);
  known->unpacked = end + kWindow;
  return Stretch{from, known->unpacked - from};
}

bool SequentialReads::is_passed(std::uint64_t offset) {
  const MutexLock lock(mutex_);
  return std::ranges::any_of(readers_, [&](const Reader& reader) {
    return offset < reader.next && reader.next - offset <= kWindow;
  });
}

bool run_ahead(std::function<void()> task) {
  static ImageReaders readers;
  return readers.run(std::move(task));
}

}  // namespace holdfast::image
