#include "engine/schedule/scheduler.h"

#include <algorithm>

#include "catalog/base/log.h"

namespace holdfast::schedule {
namespace {

using std::chrono::milliseconds;

// Clock changes give no notice, so the thread wakes this often.
constexpr milliseconds kLongestSleep = std::chrono::seconds{30};

}  // namespace

Scheduler::~Scheduler() { stop(); }

void Scheduler::start() {
  thread_ = std::thread([this] { work(); });
}

void Scheduler::stop() {
  bell_.close();
  if (thread_.joinable()) thread_.join();
}

void Scheduler::work() {
  for (milliseconds pause{0}; bell_.wait(pause);) pause = look();
}

milliseconds Scheduler::look() {
  const auto next = agenda_.look();
  if (!next)
    log::error("the scheduler could not start what is due, and tries again: {}", next.error().message);
  if (const auto begun = beside_ ? beside_() : Result<>(); !begun)
    log::error("the scheduler could not begin verifications, and tries again: {}", begun.error().message);
  if (!next || !*next) return kLongestSleep;
  return std::clamp(**next - clock_.now(), milliseconds{0}, kLongestSleep);
}

}  // namespace holdfast::schedule
