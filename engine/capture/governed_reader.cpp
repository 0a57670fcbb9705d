#include "engine/capture/governed_reader.h"

namespace holdfast::capture {
namespace {

constexpr std::uint64_t kBetweenQuestions = 16 * kMiB;

}  // namespace

Result<> GovernedReader::read(std::span<const source::Range> ranges, const Sink& sink,
                              const source::Cancel& cancel) {
  const auto governed = [&](std::uint64_t offset, ByteView data) -> Result<> {
    if (until_asked_ < data.size()) {
      HF_CHECK(room_());
      until_asked_ = kBetweenQuestions;
    }
    until_asked_ -= data.size();
    for (const auto& throttle : throttles_) HF_CHECK(throttle->take(data.size(), cancel));
    return sink(offset, data);
  };
  return below_->read(ranges, governed, cancel);
}

}  // namespace holdfast::capture
