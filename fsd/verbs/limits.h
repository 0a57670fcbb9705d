// Arguments that limit a run or a backup.
#pragma once

#include "catalog/base/text.h"
#include "fsd/verbs/verb.h"

namespace holdfast::verbs {

inline constexpr Argument kBandwidth{"bandwidth", Argument::Type::size, "SIZE"};
inline constexpr Argument kSample{"sample", Argument::Type::percent, "SHARE"};

// `Request` is RunRequest or BackupRequest.
template <class Request>
Result<> read_limits(const Values& values, Request& request) {
  if (values.has(kBandwidth.key)) {
    HF_TRY(request.bandwidth, parse_size(values.text(kBandwidth.key)));
  }
  if (values.has(kSample.key)) {
    HF_TRY(const int sample, parse_percent(values.text(kSample.key)));
    request.sample = static_cast<unsigned>(sample);
  }
  return {};
}

}  // namespace holdfast::verbs
